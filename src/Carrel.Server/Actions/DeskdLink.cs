using System.Net;
using Carrel.Contracts;
using Carrel.Machines;

namespace Carrel.Server.Actions;

/// <summary>
/// Pooled HTTP/1.1 connections to one machine's deskd, over sockets the host made. What goes wrong comes back as a value
/// that says whether the request may have been carried out.
/// </summary>
internal sealed class DeskdLink : IDisposable
{
    private readonly HttpMessageInvoker _invoker;

    public DeskdLink(IMachine machine)
    {
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
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
            MaxConnectionsPerServer = 256,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            ActivityHeadersPropagator = null,
        });
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

    public void Dispose() => _invoker.Dispose();

    private static bool Began(HttpRequestMessage request) => request.Content is not ActionBody { Began: false };
}
