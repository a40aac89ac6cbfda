using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Audit;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

/// <summary>Logging in and out with a password, and what belongs to it. Logging in with a key is the live page's <c>/login</c>.</summary>
internal sealed class AuthEndpoints(UserDirectory users, Passwords passwords, LoginGuard guard, RateLimits limits, Sessions sessions)
{
    private static readonly Failure Wrong = new(ErrorCodes.InvalidCredentials, "Wrong e-mail address or password.");

    /// <summary>(1) Whoever guessed wrong before waits, (2) the try counts, (3) the password is looked at, also where there is no such user.</summary>
    public async Task<IResult> LogInAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var email = UserDirectory.Normal(read.Value.RequiredText(254, "email"));
        var password = read.Value.RequiredText(Passwords.Longest, "password");
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        context.Note().Actor = email;
        if (await CheckAsync(context, email, password, users.FindByEmail(email)) is { } refusal)
        {
            return refusal;
        }

        return await BegunAsync(context, users.FindByEmail(email)!);
    }

    /// <summary>Sets a password with the one-time token of a link, and logs in.</summary>
    public async Task<IResult> AcceptAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var token = read.Value.RequiredText(200, "token");
        var password = NewPassword(read.Value, "password");
        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (users.FindByLink(token) is not { } user)
        {
            return (limits.Failed(Sessions.AddressOf(context)) is { } wait
                ? Authentication.TooOften(context, wait, isKnown: false)
                : new Failure(ErrorCodes.InvalidCredentials, "This link has been used, or has expired.", "Ask for another.")).AsProblem();
        }

        // Two at once: the link is used up by the first, and the second finds it gone.
        var hash = await passwords.HashAsync(password!);
        var used = false;
        var changed = await users.ChangeAsync(user.Id, before =>
        {
            used = before.LinkHash == user.LinkHash;
            return used ? before with { Password = hash, LinkHash = null, LinkExpiresAt = null } : before;
        });
        if (!changed.Succeeded || !used)
        {
            return new Failure(ErrorCodes.InvalidCredentials, "This link has been used, or has expired.", "Ask for another.").AsProblem();
        }

        await sessions.EndAllAsync(user.Id);
        return await BegunAsync(context, changed.Value);
    }

    public async Task<IResult> ChangePasswordAsync(HttpContext context)
    {
        var caller = context.Caller();
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var current = read.Value.Text(Passwords.Longest, "current_password");
        var next = NewPassword(read.Value, "new_password");
        if (users.Find(caller.AccountId) is not { } user)
        {
            return NoUser();
        }

        if (user.Password is not null && current is null)
        {
            read.Value.Refuse("current_password", "is needed, because there is a password");
        }

        if (read.Value.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        if (user.Password is not null && await CheckAsync(context, user.Email, current!, user) is { } refusal)
        {
            return refusal;
        }

        var hash = await passwords.HashAsync(next!);
        var changed = await users.ChangeAsync(user.Id, before => before with { Password = hash, LinkHash = null, LinkExpiresAt = null });
        if (!changed.Succeeded)
        {
            return changed.Failure.AsProblem();
        }

        await sessions.EndAllAsync(user.Id, caller.SessionId);
        return Success();
    }

    public async Task<IResult> LogOutAsync(HttpContext context)
    {
        if (context.Request.Cookies[Sessions.Cookie] is { } cookie && sessions.Find(cookie) is { } caller)
        {
            context.Note().AccountId = caller.AccountId;
            await sessions.EndAsync(caller.AccountId, caller.SessionId!);
        }

        context.Response.Cookies.Delete(Sessions.Cookie, CookieOf(context, null));
        return Success();
    }

    /// <summary>Who calls.</summary>
    public IResult Session(HttpContext context)
    {
        var caller = context.Caller();
        return Results.Json(Shown(caller.AccountId, caller.WorkspaceId, caller.SessionId), ApiJson.Default.LogInAnswer);
    }

    public IResult List(HttpContext context)
    {
        var caller = context.Caller();
        return Results.Json(
            new SessionList([.. sessions.Of(caller.AccountId).Select(session => new SessionAnswer(
                session.Id,
                session.Id == caller.SessionId,
                session.KeyId,
                session.Address,
                session.Agent,
                DateTimeOffset.FromUnixTimeMilliseconds(session.CreatedAt),
                DateTimeOffset.FromUnixTimeMilliseconds(session.LastUsedAt),
                DateTimeOffset.FromUnixTimeMilliseconds(session.ExpiresAt)))]),
            ApiJson.Default.SessionList);
    }

    public async Task<IResult> EndAsync(HttpContext context, string id) =>
        await sessions.EndAsync(context.Caller().AccountId, id.ToLowerInvariant()) ? Success() : Problem.NotFound($"No session {id}.");

    /// <summary>Begins a browser session and answers who it is.</summary>
    /// <param name="key">The key it is begun with; null where it was a password.</param>
    public async Task BeginAsync(HttpContext context, string accountId, Caller? key)
    {
        var (session, cookie) = await sessions.BeginAsync(accountId, key, context.Request);
        context.Note().AccountId = accountId;
        context.NoteTarget("session", session.Id);
        context.Response.Cookies.Append(Sessions.Cookie, cookie, CookieOf(context, sessions.Lifetime));
    }

    /// <summary>A password that is to be kept, if it is long enough.</summary>
    public static string? NewPassword(JsonFields fields, string name, bool isNeeded = true)
    {
        var password = isNeeded ? fields.RequiredText(Passwords.Longest, name) : fields.Text(Passwords.Longest, name);
        if (password is { Length: < Passwords.Shortest })
        {
            fields.Refuse(name, $"must have at least {Passwords.Shortest} characters");
        }

        return password;
    }

    public static Problem NoUser() => Problem.NotFound("No user belongs to the account of this key.");

    private async Task<IResult> BegunAsync(HttpContext context, User user)
    {
        await BeginAsync(context, user.Id, null);
        return Results.Json(Shown(user.Id, null, context.Note().TargetId), ApiJson.Default.LogInAnswer);
    }

    private async Task<Problem?> CheckAsync(HttpContext context, string email, string password, User? user)
    {
        var address = Sessions.AddressOf(context);
        if (guard.Wait(address, email) is { } wait)
        {
            return Authentication.TooOften(context, wait, isKnown: false).AsProblem();
        }

        guard.Begun(address, email);
        if (!await passwords.MatchesAsync(password, user?.Password) || user!.Disabled)
        {
            return Wrong.AsProblem();
        }

        guard.Succeeded(address, email);
        return null;
    }

    private LogInAnswer Shown(string accountId, string? workspaceId, string? sessionId)
    {
        var user = users.Find(accountId);
        return new LogInAnswer(true, accountId, user?.Email, user?.Name, user?.Role ?? User.Ordinary, workspaceId, sessionId);
    }

    private static IResult Success() => Results.Json(new SuccessAnswer(true), ApiJson.Default.SuccessAnswer);

    private static CookieOptions CookieOf(HttpContext context, TimeSpan? lifetime) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        MaxAge = lifetime,
        Path = "/",
    };
}
