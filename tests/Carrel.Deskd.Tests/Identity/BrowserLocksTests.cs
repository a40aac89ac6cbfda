using Carrel.Deskd.Identity;
using Xunit;

namespace Carrel.Deskd.Tests.Identity;

public sealed class BrowserLocksTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("carrel-home-").FullName;

    [Fact]
    public void Locks_of_another_host_are_broken_and_those_of_this_one_kept()
    {
        var (foreign, own) = (Profile("chromium", "carrel-aaaaaaaa-123"), Profile("google-chrome", "carrel-bbbbbbbb-7"));

        BrowserLocks.Break([_home, Path.Combine(_home, "nobody")], "carrel-bbbbbbbb");

        Assert.Equal([Path.Combine(foreign, "Cookies")], Directory.EnumerateFileSystemEntries(foreign));
        Assert.Equal("carrel-bbbbbbbb-7", new FileInfo(Path.Combine(own, "SingletonLock")).LinkTarget);
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private string Profile(string name, string holder)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_home, ".config", name)).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "SingletonLock"), holder);
        File.CreateSymbolicLink(Path.Combine(folder, "SingletonCookie"), "1");
        File.CreateSymbolicLink(Path.Combine(folder, "SingletonSocket"), "/tmp/gone/socket");
        File.WriteAllText(Path.Combine(folder, "Cookies"), "kept");
        return folder;
    }
}
