using System.Text.Json;
using Carrel.Contracts;

namespace Carrel.Server.Hosting;

/// <summary>Gathers raw values: carrel.json, then the environment, then flags; later ones win. Unknown names are refused.</summary>
internal static class SettingSources
{
    public const string FileVariable = "CARREL_CONFIG";
    public const string DefaultFile = "carrel.json";

    /// <param name="environment">Looks an environment variable up.</param>
    /// <param name="readFile">A file's text, or null where there is none.</param>
    public static Outcome<Dictionary<string, string>> Gather(
        IReadOnlyList<string> flags, Func<string, string?> environment, Func<string, string?> readFile)
    {
        var values = SettingTable.All.ToDictionary(setting => setting.Name, setting => setting.Default, StringComparer.Ordinal);
        var named = environment(FileVariable);
        var file = string.IsNullOrEmpty(named) ? DefaultFile : named;
        var text = readFile(file);
        if (text is null && file == named)
        {
            return new Failure(ErrorCodes.InvalidField, $"{FileVariable} names {file}, which cannot be read.", "Create it or unset the variable.");
        }

        if (text is not null && ReadFile(file, text, values) is { } broken)
        {
            return broken;
        }

        foreach (var setting in SettingTable.All)
        {
            if (environment(setting.Variable) is { Length: > 0 } value)
            {
                values[setting.Name] = value;
            }
        }

        return ReadFlags(flags, values) is { } wrong ? wrong : values;
    }

    private static Failure? ReadFile(string file, string text, Dictionary<string, string> values)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return new(ErrorCodes.InvalidJson, $"{file} must be a JSON object of settings.");
            }

            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (!values.ContainsKey(entry.Name))
                {
                    return Unknown(entry.Name, file);
                }

                if (entry.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
                {
                    return new(ErrorCodes.InvalidField, $"{entry.Name} in {file} must be a string or a number.");
                }

                values[entry.Name] = entry.Value.ToString();
            }

            return null;
        }
        catch (JsonException broken)
        {
            return new(ErrorCodes.InvalidJson, $"{file} is not valid JSON: {broken.Message}");
        }
    }

    private static Failure? ReadFlags(IReadOnlyList<string> flags, Dictionary<string, string> values)
    {
        for (var index = 0; index < flags.Count; index++)
        {
            var parts = flags[index].Split('=', 2);
            var setting = SettingTable.All.FirstOrDefault(candidate => candidate.Flag == parts[0]);
            if (setting is null)
            {
                return Unknown(parts[0], "the command line");
            }

            if (parts.Length == 1 && index + 1 == flags.Count)
            {
                return new(ErrorCodes.MissingField, $"{setting.Flag} needs a value.");
            }

            values[setting.Name] = parts.Length == 2 ? parts[1] : flags[++index];
        }

        return null;
    }

    private static Failure Unknown(string name, string where) => new(
        ErrorCodes.InvalidField,
        $"{name} in {where} is not a setting.",
        "Settings are: " + string.Join(", ", SettingTable.All.Select(setting => setting.Name)) + ".");
}
