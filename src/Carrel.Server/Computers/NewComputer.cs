using System.Text.RegularExpressions;
using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

/// <summary>What a create call asks for, checked (reference section 4.3). Templates come later, so asking for one is refused.</summary>
internal sealed record NewComputer(string WorkspaceId, string Name, Hardware Hardware, int? AutoStopMinutes, bool AutoStart)
{
    private const string DefaultResolution = "1280x720x24";

    public static NewComputer Read(JsonFields fields)
    {
        var workspace = fields.RequiredText(100, "workspace_id", "project_id", "workspaceId", "projectId");
        var name = ReadName(fields);
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
                fields.OneOf("cpu", 0.5, 1, 2, 4, 8, 16) ?? 1,
                (int)(fields.OneOf(fields.Has("ram") ? "ram" : "memory", 1, 2, 4, 8, 16, 32, 64) ?? 4),
                fields.Whole(1, 1024, "disk_size_gb") ?? 8,
                ReadScreen(fields)),
            ReadAutoStop(fields),
            fields.Flag("auto_start") ?? false);
    }

    public static string ReadName(JsonFields fields)
    {
        var name = fields.RequiredText(200, "name");
        if (name.Any(char.IsControl))
        {
            fields.Refuse("name", "must not contain control characters");
        }

        return name;
    }

    /// <summary>Minutes, up to a year.</summary>
    public static int? ReadAutoStop(JsonFields fields) => fields.Whole(0, 525_600, "auto_stop_minutes", "minutes");

    private static Screen ReadScreen(JsonFields fields)
    {
        var text = fields.Text(40, "resolution") ?? DefaultResolution;
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
