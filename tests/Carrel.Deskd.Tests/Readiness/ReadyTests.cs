using System.Net.Http.Json;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Readiness;

public sealed class ReadyTests(Desk desk) : IClassFixture<Desk>
{
    /// <summary>A desktop in small: a window manager, a dock, and a desktop window that is painted late.</summary>
    [Fact]
    public async Task Ready_is_told_when_manager_panel_and_painted_desktop_are_there()
    {
        var ready = desk.Host.GetFromJsonAsync("/ready", DeskdJson.Default.ReadyReport, TestContext.Current.CancellationToken);
        using var manager = desk.Start("exec xfwm4 --compositor=off");
        using var dock = desk.Start(
            "xev -name dock -geometry 1280x30+0+0 & sleep 0.5; exec xprop -name dock -f _NET_WM_WINDOW_TYPE 32a -set _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_DOCK");
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(ready.IsCompleted, "ready without a desktop window");

        using var desktop = desk.Start(
            "xterm -name desktop -T desktop -geometry 120x40 -e 'sleep 1; ls -la /; sleep 100' & sleep 0.5; exec xprop -name desktop -f _NET_WM_WINDOW_TYPE 32a -set _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_DESKTOP");
        // The types change after the windows were mapped, which brings no event on the root window; another window does.
        using var another = desk.Start("sleep 1.5; exec xev -name another");
        var report = await ready.WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.NotNull(report);
        Assert.True(report.Ready);
        Assert.True(report.WindowManagerMs <= report.PanelMs && report.PanelMs <= report.PaintedMs, report.ToString());
        Assert.InRange(report.DisplayMs, report.DeskdMs, report.WindowManagerMs);
    }
}
