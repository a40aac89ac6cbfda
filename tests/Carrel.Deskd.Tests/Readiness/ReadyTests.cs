using System.Net.Http.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Readiness;

public sealed class ReadyTests(Desk desk) : IClassFixture<Desk>
{
    // A desktop in small: windows of the types that panels and desktops have, announced as a window manager does it.
    private const string Announce = """
        set -e
        id() { until xwininfo -name "$1" >/dev/null 2>&1; do sleep 0.02; done; xwininfo -name "$1" | sed -n 's/.*Window id: \(0x[0-9a-f]*\).*/\1/p'; }
        dock=$(id dock); desktop=$(id desktop)
        xprop -id $dock -f _NET_WM_WINDOW_TYPE 32a -set _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_DOCK
        xprop -id $desktop -f _NET_WM_WINDOW_TYPE 32a -set _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_DESKTOP
        xprop -root -f _NET_SUPPORTING_WM_CHECK 32x -set _NET_SUPPORTING_WM_CHECK $dock
        """;

    [Fact]
    public async Task Ready_is_told_when_manager_panel_and_painted_desktop_are_there()
    {
        var ready = desk.Host.GetFromJsonAsync("/ready", DeskdJson.Default.ReadyReport, TestContext.Current.CancellationToken);
        using var dock = desk.Start("exec xterm -T dock -geometry 40x1+0-0");
        using var desktop = desk.Start("exec xterm -T desktop -geometry 150x40+0+0 -e 'ls -la /; sleep 100'");
        await desk.Shell(Announce);
        Assert.False(ready.IsCompleted, "ready before the windows were announced");

        await desk.Shell(Announce + "\nxprop -root -f _NET_CLIENT_LIST 32x -set _NET_CLIENT_LIST $dock,$desktop");
        var report = await ready.WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.NotNull(report);
        Assert.True(report.Ready);
        Assert.True(report.WindowManagerMs <= report.PanelMs && report.PanelMs <= report.PaintedMs, report.ToString());
        Assert.InRange(report.DisplayMs, report.DeskdMs, report.WindowManagerMs);
    }
}
