using Carrel.Contracts;

namespace Carrel.Deskd.Http;

/// <summary>All endpoints by path.</summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, List<Route>> _byPath = new(StringComparer.Ordinal);

    public IReadOnlyList<Route> All { get; private set; } = [];

    public void Add(params IEnumerable<Route> routes)
    {
        foreach (var route in routes)
        {
            if (!_byPath.TryGetValue(route.Path, out var same))
            {
                _byPath[route.Path] = same = [];
            }

            same.Add(route);
            All = [.. All, route];
        }
    }

    /// <summary>The route for a request, or the 404 or 405 that there is none.</summary>
    public (Route? Route, Reply? Refusal) Find(Exchange exchange)
    {
        if (!_byPath.TryGetValue(exchange.Path, out var same) || (same[0].Access == Access.Host && !exchange.FromHost))
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
}
