using System.Net;
using Carrel.Contracts;
using Carrel.Server.Accounts;
using Carrel.Server.Computers;
using Carrel.Server.Errors;
using Carrel.Server.Waking;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Carrel.Server.Ports;

/// <summary>
/// Forwards a request to a port inside: (1) who asks, and may they, (2) a first visit leaves a cookie, and goes to the address
/// without its secret, (3) no limits of ours on length or pace, (4) the way there and back by YARP, in a tunnel through deskd,
/// (5) a failure in our own shape, where nothing has been answered yet.
/// </summary>
internal sealed class PortForwarder(
    PortAccess access, MachineAccess machines, PortAddresses addresses, IHttpForwarder forwarder, IHostApplicationLifetime application)
{
    /// <summary>How long nothing at all may pass before the two ends are thought to have forgotten each other.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);

    private static readonly ForwarderRequestConfig Config = new()
    {
        ActivityTimeout = Idle,
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public async Task<IResult> RunAsync(HttpContext context, string id, string portText, string prefix)
    {
        var port = PortAddresses.ReadPort(portText);
        if (!port.Succeeded)
        {
            return port.Failure.AsProblem();
        }

        var call = new PortCall(id, port.Value, prefix, PortAddresses.TargetOf(context, prefix));
        if (!call.OwnOrigin && IsPartOfOurPage(context.Request))
        {
            return new Failure(ErrorCodes.AccessDenied, "Access denied: a page of the control plane may not load what comes from inside a computer.").AsProblem();
        }

        // 1
        var (computer, problem, entry) = access.Find(context, call);
        if (computer is null)
        {
            return problem!;
        }

        var before = computer.State.Session;
        var entered = await machines.EnterAsync(context, computer);
        if (!entered.Succeeded)
        {
            return entered.Failure.AsProblem();
        }

        var session = entered.Value;
        if (session != before)
        {
            entry = access.Renewed(entry, computer, call.Port); // Its start revoked the claim that opened it.
        }

        // 2
        var here = addresses.Here(context.Request, call);
        if (entry.Remembers)
        {
            context.Response.Cookies.Append(PortClaims.Cookie, entry.Claim!, new CookieOptions
            {
                Path = call.CookiePath,
                Expires = entry.Expires,
                HttpOnly = true,
                SameSite = SameSiteMode.Lax,
                Secure = here.StartsWith("https:", StringComparison.Ordinal),
            });
            if (PortAccess.IsVisit(context.Request))
            {
                context.Response.Headers.CacheControl = "no-store";
                context.Response.Headers["Referrer-Policy"] = "no-referrer";
                return Results.Redirect(here + call.Target + PortQuery.Theirs(context.Request.QueryString.Value, computer));
            }
        }

        // 3
        Unlimit(context);

        // 4
        using var over = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, application.ApplicationStopping);
        var error = await forwarder.SendAsync(
            context, "http://localhost", session.Ports.Http, Config, new PortTransformer(call, computer, here), over.Token);

        // 5
        if (context.Response.HasStarted)
        {
            return Results.Empty;
        }

        if (error == ForwarderError.None)
        {
            await context.Response.StartAsync(context.RequestAborted); // An empty answer is one, too, and not ours to explain.
            return Results.Empty;
        }

        context.RequestAborted.ThrowIfCancellationRequested();
        var failure = FailureOf(error, context.Features.Get<IForwarderErrorFeature>()?.Exception, call.Port, computer, session);
        context.Response.Clear();
        context.Response.Headers[ErrorPages.RequestIdHeader] = context.TraceIdentifier;
        return failure.AsProblem();
    }

    /// <summary>A script, a style, a worker: the guest's may not become a part of our own pages. Going to it is another thing.</summary>
    private static bool IsPartOfOurPage(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"] == "same-origin" && request.Headers["Sec-Fetch-Mode"] != "navigate";

    private static void Unlimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } inward)
        {
            inward.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } outward)
        {
            outward.MinDataRate = null;
        }
    }

    private static Failure FailureOf(ForwarderError error, Exception? why, int port, Computer computer, MachineSession session)
    {
        var name = computer.State.Record.Name;
        if (session.Ended.IsCancellationRequested)
        {
            return ComputerLookup.NotRunning(computer);
        }

        for (var cause = why; cause is not null; cause = cause.InnerException)
        {
            if (cause is TunnelRefusedException refused)
            {
                return refused.Failure.Code == ErrorCodes.PortClosed
                    ? new Failure(
                        ErrorCodes.PortClosed, $"Nothing listens on port {port} of computer {name}.", $"Start a server there on 127.0.0.1:{port} or 0.0.0.0:{port}.")
                    : refused.Failure;
            }
        }

        return error is ForwarderError.RequestTimedOut
            ? new Failure(ErrorCodes.DesktopTimeout, $"The server on port {port} of computer {name} did not answer in time.")
            : new Failure(ErrorCodes.DesktopFailed, $"The server on port {port} of computer {name} broke off, or answered what is not HTTP.");
    }
}
