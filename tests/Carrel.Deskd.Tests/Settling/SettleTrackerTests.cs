using Carrel.Deskd.Settling;

namespace Carrel.Deskd.Tests.Settling;

public sealed class SettleTrackerTests
{
    private static readonly SettleLimits Usual = new(Ms(100), Ms(2000));

    [Fact]
    public void A_still_screen_settles_after_the_quiet_time()
    {
        var tracker = new SettleTracker(Usual, Ms(0));

        Assert.Equal((null, Ms(100)), tracker.Ask(Ms(0)));
        Assert.Equal(new SettleReport(true, Ms(100)), tracker.Ask(Ms(100)).Report);
    }

    [Fact]
    public void Damage_starts_the_quiet_time_anew()
    {
        var tracker = new SettleTracker(Usual, Ms(0));
        tracker.OnDamage(new Damage(0, 0, 500, 500), Ms(70));

        Assert.Equal((null, Ms(70)), tracker.Ask(Ms(100)));
        Assert.Equal(new SettleReport(true, Ms(170)), tracker.Ask(Ms(170)).Report);
    }

    [Fact]
    public void A_screen_that_never_rests_is_told_to_be_unsettled_when_time_is_up()
    {
        var tracker = new SettleTracker(Usual, Ms(0));
        for (var t = 0; t <= 2000; t += 20)
        {
            tracker.OnDamage(new Damage(t, 0, 300, 300), Ms(t));
        }

        Assert.Equal(new SettleReport(false, Ms(2000)), tracker.Ask(Ms(2000)).Report);
    }

    [Fact]
    public void A_blinking_caret_does_not_keep_the_screen_busy()
    {
        var tracker = new SettleTracker(new SettleLimits(Ms(1000), Ms(10_000)), Ms(0));
        for (var t = 200; t <= 1200; t += 500)
        {
            tracker.OnDamage(new Damage(40, 60, 9, 18), Ms(t));
        }

        Assert.Equal(new SettleReport(true, Ms(1200)), tracker.Ask(Ms(1200)).Report);
    }

    [Fact]
    public void Characters_appearing_one_after_another_do()
    {
        var tracker = new SettleTracker(Usual, Ms(0));
        for (var t = 0; t < 10; t++)
        {
            tracker.OnDamage(new Damage(t * 9, 60, 9, 18), Ms(t * 90));
        }

        Assert.Null(tracker.Ask(Ms(850)).Report);
    }

    [Fact]
    public void A_throbber_does_too()
    {
        var tracker = new SettleTracker(Usual, Ms(0));
        for (var t = 0; t <= 600; t += 50)
        {
            tracker.OnDamage(new Damage(40, 60, 16, 16), Ms(t));
        }

        Assert.Null(tracker.Ask(Ms(650)).Report);
    }

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
