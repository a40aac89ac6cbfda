using System.Globalization;
using Carrel.Contracts.Api;
using Carrel.Server.Hosting;
using Carrel.Server.State;

namespace Carrel.Server.Screenshots;

/// <summary>Pictures on disk: <c>screenshots/{instance}/{yyyy-mm-dd}/{uuid}.{ext}</c>. Every name in a path is made here.</summary>
internal sealed class ScreenshotStore(DataFolder folder, Settings settings, SignedLinks links, IIdFactory ids, TimeProvider clock)
{
    /// <summary>Stores a picture and answers with the link that opens it until it expires.</summary>
    public async Task<(string Url, ScreenshotMetadata Metadata)> SaveAsync(
        string instanceId, PictureFormat format, ReadOnlyMemory<byte> picture, string baseUrl, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var id = ids.NewId();
        var date = now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var path = $"screenshots/{instanceId}/{date}/{id}.{format.Extension}";
        var file = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, picture, cancellationToken);
        File.SetLastWriteTimeUtc(file, now.UtcDateTime); // The sweep goes by the same clock as the link.
        var expires = now + settings.ScreenshotTtl;
        return (links.Sign(baseUrl, "/" + path, expires), new ScreenshotMetadata(id.ToString(), now, picture.Length, path, expires));
    }

    /// <summary>The stored file a link's path names, or null where it names none.</summary>
    public FileInfo? Find(string instanceId, string date, string file)
    {
        var dot = file.LastIndexOf('.');
        if (!IsInstanceId(instanceId)
            || !DateOnly.TryParseExact(date, "yyyy-MM-dd", out _)
            || dot < 0
            || !Guid.TryParseExact(file[..dot], "D", out _)
            || PictureFormat.OfExtension(file[(dot + 1)..]) is null)
        {
            return null;
        }

        var found = new FileInfo(Path.Combine(folder.Screenshots, instanceId, date, file));
        return found.Exists ? found : null;
    }

    public void DeleteAll(string instanceId)
    {
        var all = Path.Combine(folder.Screenshots, instanceId);
        if (IsInstanceId(instanceId) && Directory.Exists(all))
        {
            Directory.Delete(all, recursive: true);
        }
    }

    /// <summary>Deletes what has expired, and of each computer the oldest beyond the number kept.</summary>
    /// <returns>How many pictures went.</returns>
    public int Sweep()
    {
        var root = new DirectoryInfo(folder.Screenshots);
        if (!root.Exists)
        {
            return 0;
        }

        var expired = (clock.GetUtcNow() - settings.ScreenshotTtl).UtcDateTime;
        var today = clock.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var deleted = 0;
        foreach (var computer in root.EnumerateDirectories())
        {
            var newestFirst = computer.EnumerateFiles("*", SearchOption.AllDirectories).OrderByDescending(file => file.LastWriteTimeUtc);
            foreach (var file in newestFirst.Where((file, index) => index >= settings.ScreenshotsKept || file.LastWriteTimeUtc < expired).ToList())
            {
                file.Delete();
                deleted++;
            }

            foreach (var day in computer.EnumerateDirectories().Where(day => day.Name != today && !day.EnumerateFileSystemInfos().Any()).ToList())
            {
                day.Delete();
            }
        }

        return deleted;
    }

    private static bool IsInstanceId(string text) => text.Length == 8 && text.All(char.IsAsciiHexDigitLower);
}
