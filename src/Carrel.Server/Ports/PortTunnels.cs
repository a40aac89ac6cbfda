using System.Net;
using System.Text;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Server.Actions;

namespace Carrel.Server.Ports;

/// <summary>HTTP connections to the ports of one machine, each through a tunnel of deskd's. Nothing is made before the first is wanted.</summary>
internal sealed class PortTunnels(DeskdLink deskd) : IDisposable
{
    private readonly Lazy<HttpMessageInvoker> _http = new(() => Make(deskd));

    public HttpMessageInvoker Http => _http.Value;

    public void Dispose()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    private static HttpMessageInvoker Make(DeskdLink deskd) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancellationToken) =>
        {
            var opened = await deskd.UpgradeAsync(
                DeskdProtocol.PortPath(context.DnsEndPoint.Port), "", DeskdProtocol.TunnelProtocol, cancellationToken);
            return opened.Succeeded ? new TunnelStream(opened.Value) : throw new TunnelRefusedException(opened.Failure);
        },
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = 64,
        MaxResponseDrainSize = 64 * 1024,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        MaxConnectionsPerServer = 256,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ActivityHeadersPropagator = null,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    });
}

/// <summary>Carries an expected failure through the HTTP client, whose connecting can only throw.</summary>
internal sealed class TunnelRefusedException(Failure failure) : IOException(failure.Message)
{
    public Failure Failure => failure;
}
