using Carrel.Contracts;
using Carrel.Server.Errors;

namespace Carrel.Server.Hosting;

/// <summary>Until the server has taken over what its predecessor left, everything but <c>/healthz</c> and <c>/readyz</c> answers 503.</summary>
internal sealed class Readiness : IMiddleware
{
    private static readonly Failure NotYet = new(ErrorCodes.HostNotReady, "The server is starting.", "Try again in a moment.");
    private volatile bool _ready;

    public bool IsReady => _ready;

    public void Set() => _ready = true;

    public Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        _ready || context.Request.Path.Value is "/healthz" or "/readyz" ? next(context) : NotYet.AsProblem().ExecuteAsync(context);
}
