using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Carrel.Contracts;
using Carrel.Machines;

namespace Carrel.Server.Actions;

/// <summary>
/// Pooled HTTP/1.1 connections to one machine's deskd, over sockets the host made. What goes wrong comes back as a value
/// that says whether the request may have been carried out.
/// </summary>
internal sealed class DeskdLink : IDisposable
{
    private static readonly TimeSpan UpgradePatience = TimeSpan.FromSeconds(10);

    private readonly HttpMessageInvoker _invoker;

    // Sockets hold their connections for hours; they must not use up those of the actions.
    private readonly Lazy<HttpMessageInvoker> _upgrades;

    public DeskdLink(IMachine machine)
    {
        _invoker = Invoker(machine, maxConnections: 256);
        _upgrades = new(() => Invoker(machine, maxConnections: int.MaxValue));
    }

    public static Uri At(string path, string query = "") => new($"http://deskd{path}{query}", UriKind.Absolute);

    /// <summary>Sends, and returns as soon as the answer's headers are there.</summary>
    /// <param name="readOnly">Repeating it does no harm.</param>
    /// <param name="timeout">For the headers; the caller's own clock for the whole.</param>
    public async Task<Outcome<HttpResponseMessage>> SendAsync(
        HttpRequestMessage request, bool readOnly, CancellationToken timeout, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout, cancellationToken);
        try
        {
            return await _invoker.SendAsync(request, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TimedOut(request.RequestUri!.AbsolutePath, readOnly || !Began(request));
        }
        catch (HttpRequestException failed)
        {
            return Broken(request.RequestUri!.AbsolutePath, readOnly || !Began(request) || failed.HttpRequestError == HttpRequestError.ConnectionError);
        }
        catch (ObjectDisposedException)
        {
            return Broken(request.RequestUri!.AbsolutePath, readOnly || !Began(request));
        }
    }

    /// <summary>Opens a stream of raw bytes to what deskd serves at <paramref name="path"/> after an upgrade.</summary>
    /// <param name="query">With its question mark, or empty.</param>
    /// <param name="headers">Beyond those of the upgrade itself.</param>
    public async Task<Outcome<Stream>> UpgradeAsync(
        string path, string query, string protocol, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At(path, query));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", protocol);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(UpgradePatience);
        HttpResponseMessage? response = null;
        try
        {
            response = await _upgrades.Value.SendAsync(request, timeout.Token);
            if (response.StatusCode == HttpStatusCode.SwitchingProtocols)
            {
                var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
                response = null; // The stream owns the connection from here on.
                return stream;
            }

            return (await DeskAnswer.ProblemAsync(response, readOnly: true, timeout.Token)).Failure;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TimedOut(path, harmless: true);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or ObjectDisposedException)
        {
            return Broken(path, harmless: true);
        }
        finally
        {
            response?.Dispose();
        }
    }

    /// <summary>Opens a WebSocket to deskd's socket at <paramref name="path"/>.</summary>
    public async Task<Outcome<WebSocket>> ConnectSocketAsync(string path, string query, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var stream = await UpgradeAsync(path, query, "websocket", cancellationToken, ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key));

        // What the accept header says does not matter on a connection that nothing is in between of.
        return stream.Succeeded
            ? WebSocket.CreateFromStream(stream.Value, new WebSocketCreationOptions { IsServer = false, KeepAliveInterval = TimeSpan.Zero })
            : stream.Failure;
    }

    /// <param name="harmless">It surely was not carried out, or doing it again does no harm.</param>
    public static Failure TimedOut(string path, bool harmless) => harmless
        ? new Failure(ErrorCodes.DesktopTimeout, $"The desktop did not answer {path} in time.", "Try again in a moment.")
        : new Failure(
            ErrorCodes.OutcomeUnknown,
            $"The desktop did not answer {path} in time; it may have been carried out.",
            "Look at the screen before you repeat it.");

    public static Failure Broken(string path, bool harmless) => harmless
        ? new Failure(ErrorCodes.DesktopUnreachable, "Could not reach the desktop.", "Try again in a moment.")
        : new Failure(
            ErrorCodes.OutcomeUnknown,
            $"The connection to the desktop broke before it answered {path}; it may have been carried out.",
            "Look at the screen before you repeat it.");

    public void Dispose()
    {
        _invoker.Dispose();
        if (_upgrades.IsValueCreated)
        {
            _upgrades.Value.Dispose();
        }
    }

    private static HttpMessageInvoker Invoker(IMachine machine, int maxConnections) => new(new SocketsHttpHandler
    {
        ConnectCallback = (_, cancellationToken) => machine.ConnectAsync(MachineService.Deskd, cancellationToken),
        // The guest is hostile: no redirects, no cookies, no decompression bombs, small headers, and no endless draining.
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 64 * 1024,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        MaxConnectionsPerServer = maxConnections,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
        ActivityHeadersPropagator = null,
    });

    private static bool Began(HttpRequestMessage request) => request.Content is not ActionBody { Began: false };
}
