using Microsoft.AspNetCore.StaticFiles;

namespace Carrel.Server.LivePage;

/// <summary>The browser's files, built by web/build into the folder <c>wwwroot</c> beside the server.</summary>
internal sealed class WebFiles
{
    private static readonly FileExtensionContentTypeProvider Types = new();
    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "wwwroot");

    /// <summary>A page or an asset; null where there is none of that name.</summary>
    /// <param name="name">A bare file name: no folder, no dots at its start.</param>
    public IResult? Find(string name)
    {
        var path = Path.Combine(_folder, name);
        if (name != Path.GetFileName(name) || name.StartsWith('.') || !File.Exists(path))
        {
            return null;
        }

        var type = Types.TryGetContentType(name, out var known) ? known : "application/octet-stream";
        return Results.File(path, type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type, lastModified: File.GetLastWriteTimeUtc(path));
    }
}
