using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Carrel.Contracts.Deskd;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Carrel.Server.Tests.Fakes;

/// <summary>One Kestrel, without sockets, that is the deskd of every machine: each connection knows whose it is.</summary>
internal sealed class FakeDeskd : IAsyncDisposable
{
    public static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly MemoryTransport _transport = new();
    private readonly WebApplication _app;

    public FakeDeskd()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(_transport.EndPoint);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(_transport);
        builder.Services.AddLogging(logging => logging.ClearProviders());
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(ServeAsync);
        _app.StartAsync().GetAwaiter().GetResult();
    }

    public DuplexStream Connect(FakeMachine machine) => _transport.Connect(machine);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task ServeAsync(HttpContext context)
    {
        var machine = (FakeMachine)context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items["machine"]!;
        var request = context.Request;
        var body = request.Headers.Upgrade.Count > 0 ? "" : await new StreamReader(request.Body).ReadToEndAsync();
        var seen = new Seen(request.Method, request.Path.Value!, request.QueryString.Value ?? "", request.Headers.Accept.ToString(), body);
        machine.Requests.Enqueue(seen);
        if (await machine.Answer(context, seen))
        {
            return;
        }

        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await machine.Socket(socket, seen);
            return;
        }

        switch (seen.Path)
        {
            case DeskdProtocol.IdentityPath:
                machine.Identity = JsonSerializer.Deserialize<Identity>(body, SnakeCase);
                await JsonAsync(context, """{"success":true}""");
                break;
            case DeskdProtocol.ReadyPath:
                await machine.Painted.Task.WaitAsync(context.RequestAborted);
                await JsonAsync(context, """{"ready":true}""");
                break;
            case "/health":
                await JsonAsync(context, """{"status":"healthy","service":"orgo-desktop-api","version":"0"}""");
                break;
            case "/screenshot" when request.Query["response_format"] == "binary":
                context.Response.ContentType = "image/png";
                await context.Response.Body.WriteAsync(Png);
                break;
            default:
                await ActAsync(context, seen);
                break;
        }
    }

    private static async Task ActAsync(HttpContext context, Seen seen)
    {
        var details = seen.Body.Length == 0 ? "{}" : seen.Body;
        if (!seen.Accept.Contains(DeskdProtocol.ActAndSeeMediaType, StringComparison.Ordinal))
        {
            await JsonAsync(context, $$"""{"success":true,"action":"{{seen.Path[1..]}}","details":{{details}} }""");
            return;
        }

        var json = Encoding.UTF8.GetBytes(
            $$"""{"success":true,"action":"{{seen.Path[1..]}}","details":{{details}},"settle":{"settled":true,"waited_ms":101},"screenshot":{"width":1,"height":1} }""");
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, json.Length);
        context.Response.ContentType = DeskdProtocol.ActAndSeeMediaType;
        await context.Response.Body.WriteAsync((byte[])[.. length, .. json, .. Png]);
    }

    public static Task JsonAsync(HttpContext context, string json, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
