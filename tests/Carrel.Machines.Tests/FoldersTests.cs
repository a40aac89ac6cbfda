using Xunit;

namespace Carrel.Machines.Tests;

public sealed class FoldersTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("carrel-folders-").FullName;

    [Fact]
    public void What_an_abandoned_installation_of_an_older_version_has_is_removed_and_no_more_is_wanted()
    {
        var (old, next) = (Of("old"), Of("next"));
        Directory.Delete(old.Pool);
        Directory.Delete(old.Data, recursive: true);
        var abandoned = Assert.Single(next.Abandoned());

        abandoned.RemoveRuntime();

        Assert.Empty(next.Abandoned());
        Assert.False(Directory.Exists(Path.Combine(_root, "run", old.Installation)));
    }

    [Fact]
    public void Whose_something_is_stays_known_for_as_long_as_it_is_there()
    {
        var (old, next) = (Of("old"), Of("next"));
        Directory.Delete(old.Data, recursive: true);
        Directory.CreateDirectory(old.Machine("aaaaaaaa").Path);

        Assert.Throws<IOException>(Assert.Single(next.Abandoned()).RemoveRuntime);

        Assert.Single(next.Abandoned());
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Folders Of(string name)
    {
        var data = Path.Combine(_root, name);
        var folders = new Folders(new MachineOptions { DataFolder = data, ImageFolder = data, DeskdFolder = data, RuntimeFolder = Path.Combine(_root, "run") });
        folders.Create();
        return folders;
    }
}
