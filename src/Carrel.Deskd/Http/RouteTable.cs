using Carrel.Contracts;

namespace Carrel.Deskd.Http;

/// <summary>
/// All endpoints by path. A segment <c>{name}</c> of a route's path stands for any one segment, a last <c>{*name}</c> for all that
/// follows, also nothing; a path without such parts goes before.
/// </summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, List<Route>> _byPath = new(StringComparer.Ordinal);
    private readonly List<(string[] Pattern, List<Route> Routes)> _patterns = [];

    public IReadOnlyList<Route> All { get; private set; } = [];

    public void Add(params IEnumerable<Route> routes)
    {
        foreach (var route in routes)
        {
            if (!_byPath.TryGetValue(route.Path, out var same))
            {
                _byPath[route.Path] = same = [];
                if (route.Path.Contains('{', StringComparison.Ordinal))
                {
                    _patterns.Add((route.Path.Split('/'), same));
                }
            }

            same.Add(route);
            All = [.. All, route];
        }
    }

    /// <summary>The route for a request, or the 404 or 405 that there is none.</summary>
    public (Route? Route, Reply? Refusal) Find(Exchange exchange)
    {
        var same = Match(exchange);
        if (same is null || (same[0].Access == Access.Host && !exchange.FromHost))
        {
            return (null, Reply.Error(404, ErrorCodes.NotFound, $"there is nothing at {exchange.Path}; GET / lists what there is"));
        }

        var route = same.Find(r => r.Method == exchange.Method);
        if (route is not null)
        {
            return (route, null);
        }

        var allowed = string.Join(", ", same.Select(r => r.Method));
        var refusal = Reply.Error(405, ErrorCodes.MethodNotAllowed, $"{exchange.Path} takes {allowed}, not {exchange.Method}");
        return (null, new Reply(405, refusal.ContentType, refusal.Head) { Headers = [("Allow", allowed)] });
    }

    private List<Route>? Match(Exchange exchange)
    {
        if (_byPath.TryGetValue(exchange.Path, out var exact) && !exchange.Path.Contains('{', StringComparison.Ordinal))
        {
            return exact;
        }

        var path = exchange.Path.Split('/');
        foreach (var (pattern, routes) in _patterns)
        {
            if (Values(pattern, path) is { } values)
            {
                exchange.PathValues = values;
                return routes;
            }
        }

        return null;
    }

    private static Dictionary<string, string>? Values(string[] pattern, string[] path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i].StartsWith("{*", StringComparison.Ordinal))
            {
                values[pattern[i][2..^1]] = i < path.Length ? string.Join('/', path[i..]) : "";
                return values;
            }

            if (i >= path.Length)
            {
                return null;
            }

            if (pattern[i].StartsWith('{') && path[i].Length > 0)
            {
                values[pattern[i][1..^1]] = path[i];
            }
            else if (pattern[i] != path[i])
            {
                return null;
            }
        }

        return pattern.Length == path.Length ? values : null;
    }
}
