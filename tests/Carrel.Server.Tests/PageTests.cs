using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class PageTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/desktops/a3881618")]
    [InlineData("/desktops/a3881618?token=x")]
    [InlineData("/workspaces/w/computers/c")]
    public async Task A_page_is_served_with_a_strict_policy_or_says_that_it_is_not_built(string path)
    {
        await using var server = await RunningServer.StartAsync();

        var page = await server.GetAsync(path, server.Anonymous);

        Assert.Equal("text/html", page.MediaType);
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
        if (Directory.Exists(Path.Combine(AppContext.BaseDirectory, "wwwroot")))
        {
            page.Expect(200);
            foreach (var asset in new[] { "/assets/app.css", "/assets/index.js", "/assets/desktop.js", "/assets/icon.svg" })
            {
                (await server.GetAsync(asset, server.Anonymous)).Expect(200);
            }

            Assert.DoesNotContain("<style", page.Body, StringComparison.Ordinal);
            Assert.DoesNotContain(" style=", page.Body, StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains("web/build", page.Expect(503).Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Logging_out_ends_the_session_in_the_browser()
    {
        await using var server = await RunningServer.StartAsync();

        var answer = (await server.PostAsync("/logout", null, server.Anonymous)).Expect(200);

        Assert.Contains("carrel_session=;", answer.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
    }
}
