using System.Text;
using Carrel.Server.Tests.Fakes;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class ErrorShapeTests(SharedServer shared) : IClassFixture<SharedServer>
{
    [Theory]
    [InlineData("GET", "/api/nothing", 404, "not_found")]
    [InlineData("GET", "/nothing", 404, "not_found")]
    [InlineData("GET", "/api/computers", 405, "method_not_allowed")]
    [InlineData("PUT", "/api/workspaces", 405, "method_not_allowed")]
    [InlineData("PATCH", "/healthz", 405, "method_not_allowed")]
    [InlineData("GET", "/api/computers/nope", 404, "not_found")]
    [InlineData("GET", "/api/computers/..%2f..%2fetc%2fpasswd", 404, "not_found")]
    [InlineData("POST", "/api/computers/nope/click", 404, "not_found")]
    [InlineData("GET", "/assets/..%2fcarrel-server.dll", 404, "not_found")]
    public async Task Every_error_has_the_one_shape(string method, string path, int status, string code)
    {
        (await shared.Server.SendAsync(new HttpMethod(method), path)).ExpectError(status, code);
    }

    [Fact]
    public async Task What_is_no_http_at_all_is_answered_and_closed()
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var garbage in new[] { "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", new string('A', 100_000) })
        {
            using var raw = new System.Net.Sockets.TcpClient();
            await raw.ConnectAsync(server.Address.Host, server.Address.Port);
            await using var stream = raw.GetStream();
            try
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(garbage));
                var buffer = new byte[4096];
                while (await stream.ReadAsync(buffer) > 0)
                {
                    // Until the server has closed it.
                }
            }
            catch (IOException)
            {
                // Closed before we were done talking.
            }
        }

        (await server.GetAsync("/healthz", server.Anonymous)).Expect(200);
    }

    [Fact]
    public async Task Health_says_how_many_computers_run()
    {
        await using var server = await RunningServer.StartAsync();
        await server.ComputerAsync();

        var health = (await server.GetAsync("/healthz", server.Anonymous)).Expect(200);

        Assert.Equal(("ok", "container", 1, 1), (health.Text("status"), health.Text("isolation"), health.Int("computers"), health.Int("running")));
    }
}
