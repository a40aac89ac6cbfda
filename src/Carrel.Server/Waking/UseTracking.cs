using Carrel.Server.Computers;

namespace Carrel.Server.Waking;

/// <summary>Ends the use of a computer with the request that began it, however long that took and however it ended.</summary>
internal sealed class UseTracking : IMiddleware
{
    /// <summary>
    /// <c>?passive=true</c> on a GET: whoever only watches, such as a page with many small screens, neither keeps a computer from its
    /// auto-stop nor starts it.
    /// </summary>
    public static bool IsPassive(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Query["passive"].ToString() is ("true" or "1");

    public static void Enter(HttpContext context, Computer computer)
    {
        if (context.Features.Get<ComputerUse>() is null)
        {
            computer.Use.Enter();
            context.Features.Set(computer.Use);
        }
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<ComputerUse>() is { } use)
            {
                context.Features.Set<ComputerUse>(null);
                use.Leave();
            }
        }
    }
}
