using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Audit;
using Carrel.Server.Errors;

namespace Carrel.Server.LivePage;

/// <summary>The browser's pages: the list of computers, a computer's live screen, and logging in and out.</summary>
internal static class PageRoutes
{
    /// <summary>Only our own scripts, styles and sockets; the canvas draws what noVNC decodes from data and blob images.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

    public static void MapLivePage(this IEndpointRouteBuilder routes)
    {
        Page("/", "index.html", "dashboardPage", "The list of computers.");
        Page("/desktops/{id}", "desktop.html", "desktopPage", "A computer's live screen; ?token= opens it without a login.");
        Page("/workspaces/{workspace}/computers/{id}", "desktop.html", "computerPage", "A computer's live screen.");
        routes.MapGet("/assets/{file}", (HttpContext context, string file, WebFiles files) =>
            {
                Harden(context);
                return files.Find(file) ?? Problem.NotFound($"No file {file}.");
            })
            .WithName("asset").WithTags("Pages").WithSummary("A script, a style or a picture of the pages.")
            .Produces(200, contentType: "application/octet-stream").Fails(404);
        routes.MapPost("/login", LogInAsync)
            .Audited().WithName("logIn").WithTags("Pages").WithSummary("Begins a browser session with an API key.")
            .Accepts<LogInRequest>("application/json").Produces<SuccessAnswer>().Fails(400, 401, 415, 429);
        routes.MapPost("/logout", (HttpContext context, AuthEndpoints on) => on.LogOutAsync(context))
            .Audited().WithName("logOut").WithTags("Pages").WithSummary("Ends the browser session.").Produces<SuccessAnswer>();

        void Page(string pattern, string file, string name, string summary) => routes.MapGet(pattern, (HttpContext context, WebFiles files) =>
            {
                Harden(context);
                return files.Find(file) ?? Missing(context);
            })
            .WithName(name).WithTags("Pages").WithSummary(summary).Produces(200, contentType: "text/html").Produces(503, contentType: "text/html");
    }

    private static void Harden(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer"; // A share link carries its token.
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-cache";
    }

    private static IResult Missing(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'";
        return Results.Content(
            "<!doctype html><title>Carrel</title><h1>The pages are not built</h1><p>The API works. Run <code>web/build</code> and start the server again.</p>",
            "text/html; charset=utf-8",
            statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> LogInAsync(HttpContext context, KeyRing keys, RateLimits limits, AuthEndpoints auth)
    {
        if (!context.Request.HasJsonContentType())
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Results.Empty;
        }

        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var key = read.Value.RequiredText(200, "key");
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (keys.Find(key.Trim()) is not { } caller)
        {
            return (limits.Failed(Sessions.AddressOf(context)) is { } wait
                ? Authentication.TooOften(context, wait, isKnown: false)
                : new Failure(ErrorCodes.InvalidKey, "Invalid API key.", "`carrel key` prints the admin's.")).AsProblem();
        }

        await auth.BeginAsync(context, caller.AccountId, caller);
        return Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);
    }
}
