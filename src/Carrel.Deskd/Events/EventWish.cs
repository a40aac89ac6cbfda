using System.Text.Json;
using Carrel.Contracts.Events;

namespace Carrel.Deskd.Events;

/// <summary>What a message subscribes to or unsubscribes from, as far as it can be, and what is wrong with the rest.</summary>
internal sealed record EventWish(IReadOnlyList<string> Types, IReadOnlyList<WatchedPath> Paths, IReadOnlyList<string> Problems)
{
    private const int MostPathLength = 4096;

    /// <summary>Whether anything is left to do.</summary>
    public bool IsSomething => Types.Count > 0;

    public static EventWish Read(JsonElement message, EventHub hub, int mostProblems)
    {
        var (types, paths, problems) = (new List<string>(), new List<WatchedPath>(), new List<string>());
        if (Strings(message, "event_types") is { } names)
        {
            foreach (var name in names)
            {
                if (name is not null && hub.Knows(name))
                {
                    types.Add(name);
                }
                else
                {
                    problems.Add($"Unknown event type: {EventsEndpoint.Short(name)}");
                }
            }
        }
        else
        {
            problems.Add("event_types must be a list of event types");
        }

        if (message.TryGetProperty("paths", out _))
        {
            ReadPaths(message, types, paths, problems);
        }

        return new EventWish(types, paths, [.. problems.Take(mostProblems)]);
    }

    private static void ReadPaths(JsonElement message, List<string> types, List<WatchedPath> paths, List<string> problems)
    {
        var recursive = message.TryGetProperty("recursive", out var flag) && flag.ValueKind == JsonValueKind.True;
        var named = Strings(message, "paths");
        foreach (var path in named ?? [])
        {
            if (path is { Length: <= MostPathLength } && WatchedPath.Of(path, recursive) is { } watched)
            {
                paths.Add(watched);
            }
            else
            {
                problems.Add($"A path to watch must be absolute: {EventsEndpoint.Short(path)}");
            }
        }

        if (named is null)
        {
            problems.Add("paths must be a list of paths");
        }

        if (!types.Contains(EventCatalogue.FileChange))
        {
            paths.Clear();
            problems.Add($"paths go with {EventCatalogue.FileChange}");
        }
        else if (paths.Count == 0)
        {
            // Paths were asked for and none can be: the folders of old are not what was meant.
            types.RemoveAll(type => type == EventCatalogue.FileChange);
        }
    }

    /// <summary>The strings of a list, null for what is none; null when there is no list.</summary>
    private static List<string?>? Strings(JsonElement message, string name) =>
        message.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? Text(item) : null)]
            : null;

    private static string? Text(JsonElement item)
    {
        try
        {
            return item.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which no text holds.
            return null;
        }
    }
}
