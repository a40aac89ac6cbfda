using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Carrel.Server.Hosting;

/// <summary>Turns the listen setting into sockets.</summary>
internal static class Listening
{
    public static void Configure(KestrelServerOptions kestrel, Uri listen)
    {
        var protocol = (ListenOptions options) =>
        {
            if (listen.Scheme == Uri.UriSchemeHttps)
            {
                options.UseHttps();
            }
        };
        if (IPAddress.TryParse(listen.Host.Trim('[', ']'), out var address))
        {
            kestrel.Listen(address, listen.Port, protocol);
        }
        else if (listen.Host == "localhost")
        {
            kestrel.Listen(IPAddress.Loopback, listen.Port, protocol);
        }
        else
        {
            kestrel.ListenAnyIP(listen.Port, protocol);
        }
    }
}
