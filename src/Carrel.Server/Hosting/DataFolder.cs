using System.Security.Cryptography;
using Carrel.Contracts;

namespace Carrel.Server.Hosting;

/// <summary>The data folder of one installation, locked by the one server that uses it.</summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    public string AdminKeyFile => In("admin.key");

    public string SecretsKeyFile => In("secrets.key");

    /// <summary>Contents of the files kept for workspaces, by their ids.</summary>
    public string Files => In("files");

    public string Screenshots => In("screenshots");

    public string Recordings => In("recordings");

    public static Outcome<DataFolder> Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new Failure(ErrorCodes.HostNotReady, $"The data folder {path} cannot be made: {refused.Message}", "Set CARREL_DATA to a folder this user may write.");
        }

        try
        {
            // FileShare.None is flock(LOCK_EX) here: the kernel drops it when the process ends, however it ends.
            var held = new FileStream(System.IO.Path.Combine(path, "server.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new DataFolder(path, held);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new Failure(
                ErrorCodes.HostNotReady,
                $"The data folder {path} is in use by another server, or cannot be written: {refused.Message}",
                "Stop that server, or give this one a data folder of its own (CARREL_DATA).");
        }
    }

    /// <summary>The installation's root secret, made on first use. Everything signed or encrypted derives from it.</summary>
    public byte[] RootSecret()
    {
        if (!File.Exists(SecretsKeyFile))
        {
            WriteSecret(SecretsKeyFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        }

        return Convert.FromHexString(File.ReadAllText(SecretsKeyFile).Trim());
    }

    /// <summary>Writes a file only its owner may read; it is there whole or not at all.</summary>
    public static void WriteSecret(string path, string text)
    {
        var draft = path + ".new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }

    public void Dispose() => _lock.Dispose();

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
