using Carrel.Contracts.Api;
using Carrel.Server.Audit;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;
using Carrel.Server.Plans;

namespace Carrel.Server.Accounts;

/// <summary>The users of the installation, for its operators; and oneself.</summary>
internal sealed class UserEndpoints(UserDirectory users, Passwords passwords, Sessions sessions, PlanBook plans, Settings settings, PublicAddress address)
{
    public IResult List() => Results.Json(new UserList([.. users.All.Select(user => Shown(user))]), ApiJson.Default.UserList);

    public IResult Get(string id) =>
        users.Find(id.ToLowerInvariant()) is { } user ? Results.Json(Shown(user), ApiJson.Default.UserAnswer) : Missing(id);

    public IResult Profile(HttpContext context) =>
        users.Find(context.Caller().AccountId) is { } user ? Results.Json(Shown(user), ApiJson.Default.UserAnswer) : AuthEndpoints.NoUser();

    public async Task<IResult> CreateAsync(HttpContext context)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var email = Email(fields);
        var name = fields.Text(200, "name");
        var password = AuthEndpoints.NewPassword(fields, "password", isNeeded: false);
        var role = Role(fields) ?? User.Ordinary;
        var plan = Plan(fields) ?? DefaultPlan;
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var made = await users.CreateAsync(email, name ?? email, role, plan, password is null ? null : await passwords.HashAsync(password));
        if (!made.Succeeded)
        {
            return made.Failure.AsProblem();
        }

        context.NoteTarget("user", made.Value.Id);
        context.NoteDetail("email", made.Value.Email);
        context.NoteDetail("role", role);
        return password is null ? await WithLinkAsync(context, made.Value, 201) : Results.Json(Shown(made.Value), ApiJson.Default.UserAnswer, statusCode: 201);
    }

    public async Task<IResult> ChangeAsync(HttpContext context, string id)
    {
        var read = await JsonFields.ReadAsync(context.Request);
        if (!read.Succeeded)
        {
            return read.Failure.AsProblem();
        }

        var fields = read.Value;
        var name = fields.Text(200, "name");
        var role = Role(fields);
        var plan = Plan(fields);
        var disabled = fields.Flag("disabled");
        var password = AuthEndpoints.NewPassword(fields, "password", isNeeded: false);
        if (fields.Wrong is { } wrong)
        {
            return wrong.AsProblem();
        }

        var hash = password is null ? null : await passwords.HashAsync(password);
        var changed = await users.ChangeAsync(id.ToLowerInvariant(), before => before with
        {
            Name = name ?? before.Name,
            Role = role ?? before.Role,
            Plan = plan ?? before.Plan,
            Disabled = disabled ?? before.Disabled,
            Password = hash ?? before.Password,
            LinkHash = hash is null ? before.LinkHash : null,
        });
        if (!changed.Succeeded)
        {
            return changed.Failure.AsProblem();
        }

        context.NoteDetail("role", role);
        context.NoteDetail("plan", plan);
        context.NoteDetail("disabled", disabled?.ToString().ToLowerInvariant());
        context.NoteDetail("password", password is null ? null : "changed");
        if (disabled == true || password is not null)
        {
            await sessions.EndAllAsync(changed.Value.Id, context.Caller().SessionId);
        }

        return Results.Json(Shown(changed.Value), ApiJson.Default.UserAnswer);
    }

    public async Task<IResult> NewLinkAsync(HttpContext context, string id) =>
        users.Find(id.ToLowerInvariant()) is { } user ? await WithLinkAsync(context, user, 200) : Missing(id);

    /// <summary>An e-mail address, as far as that can be told without sending one.</summary>
    public static string Email(JsonFields fields)
    {
        var email = fields.RequiredText(254, "email").Trim();
        var at = email.IndexOf('@', StringComparison.Ordinal);
        if (fields.Wrong is null && (at < 1 || at == email.Length - 1 || email.LastIndexOf('@') != at || email.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))))
        {
            fields.Refuse("email", "must look like name@example.org");
        }

        return email;
    }

    /// <summary>The plan of a user who is new.</summary>
    public string DefaultPlan => plans.Find(settings.DefaultPlan) is null ? PlanBook.Unlimited : settings.DefaultPlan;

    /// <summary>Where a password is set. The token stands behind the #, so that no log of a server in between holds it.</summary>
    public string LinkOf(HttpRequest request, string token) => $"{address.BaseOf(request)}/#password={token}";

    private async Task<IResult> WithLinkAsync(HttpContext context, User user, int status)
    {
        var link = await users.NewLinkAsync(user.Id);
        if (!link.Succeeded)
        {
            return link.Failure.AsProblem();
        }

        context.NoteTarget("user", user.Id);
        context.Response.Headers.CacheControl = "no-store";
        var answer = Shown(user) with { PasswordLink = LinkOf(context.Request, link.Value.Token), PasswordLinkExpiresAt = link.Value.Expires };
        return Results.Json(answer, ApiJson.Default.UserAnswer, statusCode: status);
    }

    private static string? Role(JsonFields fields)
    {
        var role = fields.Text(20, "role");
        if (role is not (null or User.Operator or User.Ordinary))
        {
            fields.Refuse("role", $"must be {User.Operator} or {User.Ordinary}");
        }

        return role;
    }

    private string? Plan(JsonFields fields)
    {
        var plan = fields.Text(100, "plan");
        if (plan is not null && plans.Find(plan) is null)
        {
            fields.Refuse("plan", $"names {plan}, but there is no such plan");
        }

        return plan;
    }

    private static UserAnswer Shown(User user) => new(
        user.Id, user.Email, user.Name, user.Role, user.Plan, user.Disabled, user.Password is not null, DateTimeOffset.FromUnixTimeMilliseconds(user.CreatedAt));

    private static Problem Missing(string id) => Problem.NotFound($"No user {id}.");
}
