using System.Net;
using System.Net.Sockets;
using Carrel.Contracts.Deskd;
using Carrel.Server.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Carrel.Server.Tests.Fakes;

/// <summary>A server that is "inside" a machine, reached by tunnels that the machine's fake deskd opens.</summary>
internal sealed class InsideServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private InsideServer(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.First()).Port;

    public static async Task<InsideServer> StartAsync(FakeMachine machine, RequestDelegate serve)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddLogging(logging => logging.ClearProviders());
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(serve);
        await app.StartAsync();
        machine.Answer = TunnelAsync;
        return new InsideServer(app);
    }

    /// <summary>What deskd does, told by its protocol.</summary>
    public static async Task<bool> TunnelAsync(HttpContext context, Seen seen)
    {
        if (!seen.Path.StartsWith("/ports/", StringComparison.Ordinal))
        {
            return false;
        }

        var port = int.Parse(seen.Path.Split('/')[2], null);
        using var inside = new TcpClient();
        try
        {
            await inside.ConnectAsync(IPAddress.Loopback, port);
        }
        catch (SocketException)
        {
            await FakeDeskd.JsonAsync(context, $$"""{"error":"nothing listens on port {{port}}","code":"port_closed"}""", 409);
            return true;
        }

        context.Response.Headers.Upgrade = DeskdProtocol.TunnelProtocol;
        await using var raw = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        await using var records = new TunnelStream(raw);
        var outward = Task.Run(async () =>
        {
            await inside.GetStream().CopyToAsync(records);
            await raw.WriteAsync(new byte[2]);
        });
        try
        {
            await records.CopyToAsync(inside.GetStream());
        }
        catch (IOException)
        {
            // The host went away.
        }

        inside.Client.Shutdown(SocketShutdown.Both);
        await outward.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
