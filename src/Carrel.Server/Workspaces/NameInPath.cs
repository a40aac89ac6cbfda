using Microsoft.AspNetCore.Http.Features;

namespace Carrel.Server.Workspaces;

/// <summary>A name that is the last segment of a path. Routing leaves an escaped slash as it is, so it is read from what was sent.</summary>
internal static class NameInPath
{
    public static string Of(HttpContext context)
    {
        var path = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        var query = path.IndexOf('?');
        path = (query < 0 ? path : path[..query]).TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }
}
