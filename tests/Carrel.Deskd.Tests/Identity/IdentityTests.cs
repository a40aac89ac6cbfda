using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Identity;

public sealed class IdentityTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public void The_vnc_password_and_the_machine_id_are_on_disk_for_root_only()
    {
        var file = Path.Combine(desk.Folder, "vncpasswd");

        Assert.Equal("C5E28D47BD4AB77F", Convert.ToHexString(File.ReadAllBytes(file)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal("0123456789abcdef0123456789abcdef\n", File.ReadAllText(Path.Combine(desk.Folder, "machine-id")));
    }

    [Fact]
    public async Task A_deskd_that_starts_anew_knows_who_it_is()
    {
        var identity = new Carrel.Deskd.Identity.MachineIdentity();
        var settings = new DeskdSettings(desk.Display, 3, 0, desk.Folder, Path.Combine(desk.Folder, "machine-id"), false);
        new Carrel.Deskd.Identity.IdentityEndpoint(settings, identity, new Carrel.Deskd.X11.DisplayLink(desk.Display)).Recall();

        Assert.True(identity.IsTaken);
        await identity.Taken;
    }

    [Fact]
    public async Task An_identity_with_something_missing_is_refused()
    {
        using var body = new StringContent("""{"token":"x"}""");
        using var response = await desk.Host.PutAsync("/identity", body, TestContext.Current.CancellationToken);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains("vnc_password", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
