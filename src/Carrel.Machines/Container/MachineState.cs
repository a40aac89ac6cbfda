using System.Text.Json;
using System.Text.Json.Serialization;

namespace Carrel.Machines.Container;

/// <summary>What a machine holds on the host, written before it is acquired, so that a crash at any point can be swept.</summary>
/// <param name="Slot">Number of its slot.</param>
/// <param name="LoopDevice">The loop device under its disk, e.g. <c>/dev/loop3</c>; null before it is attached.</param>
/// <param name="BandwidthMbps">Its limit each way; 0 is none.</param>
/// <param name="BandwidthPending">The limit is being set: after a crash it is set again.</param>
internal sealed record MachineState(string Id, int Slot, string? LoopDevice, int BandwidthMbps = 0, bool BandwidthPending = false)
{
    internal void Save(MachineFolder folder)
    {
        var partial = folder.State + ".partial";
        File.WriteAllBytes(partial, JsonSerializer.SerializeToUtf8Bytes(this, MachineStateJson.Default.MachineState));
        File.Move(partial, folder.State, overwrite: true);
    }

    internal static MachineState? Load(MachineFolder folder)
        => File.Exists(folder.State) ? JsonSerializer.Deserialize(File.ReadAllBytes(folder.State), MachineStateJson.Default.MachineState) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MachineState))]
internal sealed partial class MachineStateJson : JsonSerializerContext;
