using Carrel.Server.Hosting;

namespace Carrel.Server.Files;

/// <summary>Contents on disk: <c>files/{id}</c>, an id of ours and never a client's name. One without a record is swept at the next start.</summary>
internal sealed class FileContents(DataFolder folder)
{
    private const int BufferBytes = 256 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public FileStream Create(string id)
    {
        Directory.CreateDirectory(folder.Files);
        return new FileStream(PathOf(id), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
    }

    /// <exception cref="FileNotFoundException">It was deleted meanwhile.</exception>
    public FileStream Open(string id) => new(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);

    public FileInfo? Find(string id) => new FileInfo(PathOf(id)) is { Exists: true } found ? found : null;

    public void Delete(string id) => File.Delete(PathOf(id));

    /// <returns>How many went that no record knows.</returns>
    public int Sweep(IReadOnlySet<string> known)
    {
        var orphans = Directory.Exists(folder.Files)
            ? Directory.EnumerateFiles(folder.Files).Where(file => !known.Contains(Path.GetFileName(file))).ToList()
            : [];
        orphans.ForEach(File.Delete);
        return orphans.Count;
    }

    private string PathOf(string id) => Path.Combine(folder.Files, Guid.ParseExact(id, "D").ToString());
}
