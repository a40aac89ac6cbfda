using System.Net;

namespace Carrel.Deskd.Http;

/// <summary>A request's query string.</summary>
internal sealed class Query : FieldReader
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Query(string queryString)
    {
        foreach (var pair in queryString.AsSpan().TrimStart('?').ToString().Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            _values[WebUtility.UrlDecode(at < 0 ? pair : pair[..at])] = at < 0 ? "" : WebUtility.UrlDecode(pair[(at + 1)..]);
        }
    }

    public string? this[string name] => _values.GetValueOrDefault(name);

    protected override bool TryRaw(string name, out RawValue raw)
    {
        var found = _values.TryGetValue(name, out var value);
        raw = new RawValue(default, value);
        return found;
    }
}
