using Carrel.Server.Accounts;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class RateLimitTests
{
    [Fact]
    public void A_bucket_gives_its_burst_and_then_its_rate()
    {
        var bucket = new Bucket();
        var now = TimeSpan.TicksPerHour;
        for (var taken = 0; taken < 10; taken++)
        {
            Assert.Null(bucket.Take(now, perMinute: 60, burst: 10));
        }

        Assert.Equal(TimeSpan.FromSeconds(1), bucket.Take(now, 60, 10));
        Assert.Equal(TimeSpan.FromSeconds(0.5), bucket.Take(now + (TimeSpan.TicksPerSecond / 2), 60, 10));
        Assert.Null(bucket.Take(now + TimeSpan.TicksPerSecond, 60, 10));
        Assert.NotNull(bucket.Take(now + TimeSpan.TicksPerSecond, 60, 10));
        Assert.False(bucket.IsFull(now + TimeSpan.TicksPerSecond));
        Assert.True(bucket.IsFull(now + (20 * TimeSpan.TicksPerSecond)));
    }

    [Fact]
    public void Many_at_once_get_no_more_than_the_burst()
    {
        var bucket = new Bucket();
        var given = 0;
        Parallel.For(0, 1000, _ =>
        {
            if (bucket.Take(TimeSpan.TicksPerHour, 600, 50) is null)
            {
                Interlocked.Increment(ref given);
            }
        });
        Assert.Equal(50, given);
    }

    [Fact]
    public async Task A_plan_s_limit_holds_each_key_by_itself_and_says_when_to_come_again()
    {
        await using var server = await RunningServer.StartAsync();
        (await server.SendAsync(HttpMethod.Put, "/api/plans/slow", new { rate_limit_per_minute = 1 })).Expect(201);
        var (id, client) = await server.UserAsync("user", plan: "slow");
        using var other = server.ClientWith(await server.Get<KeyRing>().CreateAsync(id, null, "other"));

        (await server.GetAsync("/api/workspaces", client)).Expect(200);
        var refused = (await server.GetAsync("/api/workspaces", client)).ExpectError(429, "rate_limited", "Too many requests");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        (await server.GetAsync("/healthz", client)).Expect(200);
        (await server.GetAsync("/api/workspaces", other)).Expect(200);
        server.Clock.Ahead += TimeSpan.FromMinutes(1);
        (await server.GetAsync("/api/workspaces", client)).Expect(200);
    }

    [Fact]
    public async Task The_setting_is_the_limit_of_who_has_no_other()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with { RateLimitPerMinute = 30 });
        for (var taken = 0; taken < 3; taken++)
        {
            (await server.GetAsync("/api/workspaces")).Expect(200);
        }

        (await server.GetAsync("/api/workspaces")).ExpectError(429, "rate_limited");
    }

    [Fact]
    public async Task Who_fails_to_say_who_they_are_is_slowed_but_a_good_key_from_there_is_not()
    {
        await using var server = await RunningServer.StartAsync();
        using var wrong = server.ClientWith("sk_live_wrong");
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => server.GetAsync("/api/workspaces", wrong)));

        Assert.Contains(answers, answer => answer.Status == 401);
        Assert.NotNull(answers.First(answer => answer.Status == 429).ExpectError(429, "rate_limited", "failed attempts").Headers.RetryAfter);
        (await server.GetAsync("/api/workspaces")).Expect(200);
    }
}
