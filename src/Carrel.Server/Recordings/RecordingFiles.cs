using Carrel.Contracts;
using Carrel.Server.Hosting;

namespace Carrel.Server.Recordings;

/// <summary>
/// Recordings on disk: <c>recordings/{instance}/{id}.mp4</c>, beside it while it is made the actions so far and what has been
/// fetched. Every name in a path is made here; what a guest sends is stored, and read by nobody but the client.
/// </summary>
internal sealed class RecordingFiles(DataFolder folder)
{
    private const int PieceBytes = 256 * 1024;

    public static string LinkPath(string instanceId, string id) => $"/recordings/{instanceId}/{id}.mp4";

    public string ActionsFile(string instanceId, string id) => Path.Combine(folder.Recordings, instanceId, $"{id}.actions");

    /// <summary>The finished recording, or null where there is none of that name.</summary>
    public FileInfo? Find(string instanceId, string id) =>
        IsInstanceId(instanceId) && Guid.TryParseExact(id, "D", out _) && new FileInfo(Film(instanceId, id)) is { Exists: true } film ? film : null;

    /// <summary>Stores a film that comes from a guest, whole or not at all.</summary>
    /// <exception cref="IOException">It broke off, or the disk is full.</exception>
    public async Task<Outcome<long>> SaveAsync(string instanceId, string id, Stream content, long expected, long most, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(folder.Recordings, instanceId));
        var draft = Film(instanceId, id) + ".part";
        try
        {
            long total = 0;
            await using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
            {
                var piece = new byte[PieceBytes];
                int read;
                while ((read = await content.ReadAsync(piece, cancellationToken)) > 0)
                {
                    total += read;
                    if (total > most)
                    {
                        return new Failure(ErrorCodes.RecordingFailed, $"The recording is larger than {most} bytes.", "The limit is the setting recording_max_bytes.");
                    }

                    await file.WriteAsync(piece.AsMemory(0, read), cancellationToken);
                }
            }

            if (total != expected)
            {
                throw new IOException($"the desktop sent {total} bytes of a recording of {expected}");
            }

            File.Move(draft, Film(instanceId, id), overwrite: true);
            return total;
        }
        finally
        {
            File.Delete(draft);
        }
    }

    public void Delete(string instanceId, string id)
    {
        if (Directory.Exists(Path.Combine(folder.Recordings, instanceId)))
        {
            File.Delete(Film(instanceId, id));
            File.Delete(ActionsFile(instanceId, id));
        }
    }

    public void DeleteAll(string instanceId)
    {
        var all = Path.Combine(folder.Recordings, instanceId);
        if (IsInstanceId(instanceId) && Directory.Exists(all))
        {
            Directory.Delete(all, recursive: true);
        }
    }

    private string Film(string instanceId, string id) => Path.Combine(folder.Recordings, instanceId, $"{id}.mp4");

    private static bool IsInstanceId(string text) => text.Length == 8 && text.All(char.IsAsciiHexDigitLower);
}
