using System.Text.RegularExpressions;
using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

/// <summary>What a create call asks for, checked (reference section 4.3). Templates come later, so asking for one is refused.</summary>
internal sealed record NewComputer(string WorkspaceId, string Name, Hardware Hardware, int? AutoStopMinutes, bool AutoStart)
{
    private const string DefaultResolution = "1280x720x24";

    /// <param name="defaults">What the computer has where nothing is said; with those of a snapshot its disk cannot be smaller.</param>
    public static NewComputer Read(JsonFields fields, Hardware? defaults = null)
    {
        var workspace = fields.RequiredText(100, "workspace_id", "project_id", "workspaceId", "projectId");
        var name = ComputerName.Read(fields, required: true)!;

        if ((fields.Text(40, "os") ?? "linux") is var os && os != "linux")
        {
            fields.Refuse("os", $"must be linux, but is {os}; other systems are not offered");
        }

        if (fields.Text(500, "template_ref") is { } template)
        {
            fields.Refuse("template_ref", $"names {template}, but this server has no templates yet; leave it out");
        }

        // Taken for the sake of old clients, which always send them; neither meant anything to the newer API.
        fields.Text(500, "image");
        fields.Text(40, "gpu");
        return new NewComputer(
            workspace,
            name,
            new Hardware(
                fields.OneOf("cpu", Hardware.CpuChoices) ?? defaults?.Cpu ?? 1,
                (int)(fields.OneOf(fields.Has("ram") ? "ram" : "memory", Hardware.RamChoices) ?? defaults?.RamGb ?? 4),
                fields.Whole(defaults?.DiskGb ?? 1, Hardware.MostDiskGb, "disk_size_gb") ?? defaults?.DiskGb ?? 8,
                ReadScreen(fields, defaults?.Screen)),
            ReadAutoStop(fields),
            fields.Flag("auto_start") ?? false);
    }

    /// <summary>Minutes, up to a year.</summary>
    public static int? ReadAutoStop(JsonFields fields) => fields.Whole(0, ComputerRecord.MostAutoStopMinutes, "auto_stop_minutes", "minutes");

    private static Screen ReadScreen(JsonFields fields, Screen? usual)
    {
        var text = fields.Text(40, "resolution") ?? usual?.ToString() ?? DefaultResolution;
        if (Resolution.Match(text) is not { Success: true, Groups: var groups })
        {
            fields.Refuse("resolution", $"must look like {DefaultResolution}, but is {text}");
            return new Screen(1280, 720, 24);
        }

        var screen = new Screen(
            int.Parse(groups[1].ValueSpan, provider: null), int.Parse(groups[2].ValueSpan, provider: null), groups[3].Success ? int.Parse(groups[3].ValueSpan, provider: null) : 24);
        if (screen.Width is < 320 or > 7680 || screen.Height is < 200 or > 4320 || screen.Depth is not (16 or 24))
        {
            fields.Refuse("resolution", $"must be 320-7680 wide, 200-4320 high and 16 or 24 deep, but is {screen}");
        }

        return screen;
    }

    private static readonly Regex Resolution = new("^([0-9]{1,5})x([0-9]{1,5})(?:x([0-9]{1,2}))?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}
