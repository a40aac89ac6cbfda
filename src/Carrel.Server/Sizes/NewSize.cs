using Carrel.Server.Computers;
using Carrel.Server.Errors;

namespace Carrel.Server.Sizes;

/// <summary>What a resize asks for, checked (reference section 4.11); null leaves a dimension as it is.</summary>
internal sealed record NewSize(double? Vcpus, int? MemGb, int? DiskGb, int? BandwidthMbps, int? AutoStopMinutes)
{
    private const int MostMbps = 100_000;

    public static NewSize Read(JsonFields fields)
    {
        // As a create call names them; to ignore them would let a client believe that it had resized something.
        foreach (var (name, real) in (ReadOnlySpan<(string, string)>)[("cpu", "vcpus"), ("ram", "mem_gb"), ("memory", "mem_gb")])
        {
            if (fields.Has(name) && !fields.Has(real))
            {
                fields.Refuse(name, $"is named {real} here");
            }
        }

        return new NewSize(
            fields.OneOf("vcpus", Hardware.CpuChoices),
            (int?)fields.OneOf("mem_gb", Hardware.RamChoices),
            fields.Whole(1, Hardware.MostDiskGb, "disk_size_gb"),
            fields.Whole(0, MostMbps, "bandwidth_limit_mbps"),
            fields.Whole(0, ComputerRecord.MostAutoStopMinutes, "auto_stop_minutes"));
    }
}
