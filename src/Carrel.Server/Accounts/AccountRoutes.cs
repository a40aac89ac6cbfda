using Carrel.Contracts.Api;
using Carrel.Server.Audit;
using Carrel.Server.Errors;

namespace Carrel.Server.Accounts;

internal static class AccountRoutes
{
    public static void AddAccounts(this IServiceCollection services) => services
        .AddSingleton<UserDirectory>().AddSingleton<Memberships>().AddSingleton<Access>().AddSingleton<Passwords>().AddSingleton<LoginGuard>()
        .AddSingleton<KeyRing>().AddSingleton<Sessions>().AddSingleton<RateLimits>().AddSingleton<AdminKey>().AddSingleton<AccountStart>().AddSingleton<AccountUpkeep>().AddSingleton<Authentication>()
        .AddSingleton<AuthEndpoints>().AddSingleton<KeyEndpoints>().AddSingleton<UserEndpoints>().AddSingleton<MemberEndpoints>();

    public static void MapAccounts(this IEndpointRouteBuilder api)
    {
        MapAuth(api);
        MapKeys(api);
        MapUsers(api);
        MapMembers(api);
    }

    private static void MapAuth(IEndpointRouteBuilder api)
    {
        var open = api.MapGroup("/auth").WithTags("Accounts");
        open.MapPost("/login", (HttpContext context, AuthEndpoints on) => on.LogInAsync(context))
            .Audited().WithName("logInWithPassword").WithSummary("Begins a browser session with e-mail address and password.")
            .Accepts<PasswordLogInRequest>("application/json").Produces<LogInAnswer>().Fails(400, 401, 413, 429);
        open.MapPost("/accept", (HttpContext context, AuthEndpoints on) => on.AcceptAsync(context))
            .Audited().WithName("acceptPasswordLink").WithSummary("Sets a password with a password link's token, once, and begins a browser session.")
            .Accepts<AcceptRequest>("application/json").Produces<LogInAnswer>().Fails(400, 401, 413, 429);
        open.MapPost("/logout", (HttpContext context, AuthEndpoints on) => on.LogOutAsync(context))
            .Audited().WithName("endSession").WithSummary("Ends the browser session.").Produces<SuccessAnswer>();

        var known = api.MapGroup("/auth").WithTags("Accounts").NeedsKey();
        known.MapGet("/session", (HttpContext context, AuthEndpoints on) => on.Session(context))
            .WithName("getSession").WithSummary("Who calls, by key or browser session.").Produces<LogInAnswer>();
        known.MapGet("/sessions", (HttpContext context, AuthEndpoints on) => on.List(context))
            .Needs(ActionClass.Account).WithName("listSessions").WithSummary("The caller's browser sessions.").Produces<SessionList>();
        known.MapDelete("/sessions/{id}", (HttpContext context, string id, AuthEndpoints on) => on.EndAsync(context, id))
            .Needs(ActionClass.Account).WithName("deleteSession").WithSummary("Ends a browser session.").Produces<SuccessAnswer>().Fails(404);
        known.MapPost("/password", (HttpContext context, AuthEndpoints on) => on.ChangePasswordAsync(context))
            .Needs(ActionClass.Account).WithName("changePassword").WithSummary("Changes the caller's password and ends their other browser sessions.")
            .Accepts<ChangePasswordRequest>("application/json").Produces<SuccessAnswer>().Fails(400, 404, 413);
    }

    private static void MapKeys(IEndpointRouteBuilder api)
    {
        var keys = api.MapGroup("/api-keys").WithTags("Accounts").NeedsKey().Needs(ActionClass.Account);
        keys.MapGet("", (HttpContext context, [Microsoft.AspNetCore.Mvc.FromQuery(Name = "workspace_id")] string? workspace, KeyEndpoints on) => on.ListAsync(context))
            .WithName("listApiKeys").WithSummary("The caller's API keys; with workspace_id all that are limited to that workspace.").Produces<ApiKeyList>().Fails(404);
        keys.MapPost("", (HttpContext context, KeyEndpoints on) => on.CreateAsync(context))
            .WithName("createApiKey").WithSummary("Makes an API key; the answer shows it once.")
            .Accepts<ApiKeyRequest>("application/json").Produces<ApiKeyAnswer>(201).Fails(400, 404, 413);
        keys.MapDelete("/{id}", (HttpContext context, string id, KeyEndpoints on) => on.DeleteAsync(context, id))
            .WithName("deleteApiKey").WithSummary("Ends an API key, and the browser sessions begun with it.").Produces<SuccessAnswer>().Fails(404);
    }

    private static void MapUsers(IEndpointRouteBuilder api)
    {
        var users = api.MapGroup("/users").WithTags("Accounts").NeedsKey().Needs(ActionClass.Operate);
        users.MapGet("", (UserEndpoints on) => on.List()).WithName("listUsers").WithSummary("All users.").Produces<UserList>();
        users.MapPost("", (HttpContext context, UserEndpoints on) => on.CreateAsync(context))
            .WithName("createUser").WithSummary("Makes a user; without a password, the answer has a link to set one.")
            .Accepts<CreateUserRequest>("application/json").Produces<UserAnswer>(201).Fails(400, 409, 413);
        users.MapGet("/{id}", (string id, UserEndpoints on) => on.Get(id)).WithName("getUser").WithSummary("One user.").Produces<UserAnswer>().Fails(404);
        users.MapPatch("/{id}", (HttpContext context, string id, UserEndpoints on) => on.ChangeAsync(context, id))
            .WithName("changeUser").WithSummary("Changes a user's name, role, plan or password, or disables them.")
            .Accepts<ChangeUserRequest>("application/json").Produces<UserAnswer>().Fails(400, 404, 413);
        users.MapPost("/{id}/password-link", (HttpContext context, string id, UserEndpoints on) => on.NewLinkAsync(context, id))
            .WithName("createPasswordLink").WithSummary("A new link with which a user sets a password, once; earlier ones are void.").Produces<UserAnswer>().Fails(404);
        api.MapGet("/user/profile", (HttpContext context, UserEndpoints on) => on.Profile(context))
            .NeedsKey().WithTags("Accounts").WithName("getProfile").WithSummary("The caller.").Produces<UserAnswer>().Fails(404);
    }

    private static void MapMembers(IEndpointRouteBuilder api)
    {
        foreach (var (prefix, noun) in new[] { ("/workspaces", "Workspace"), ("/projects", "Project") })
        {
            var members = api.MapGroup(prefix + "/{id}").WithTags("Workspaces").NeedsKey();
            members.MapGet("/members", (HttpContext context, string id, MemberEndpoints on) => on.ListAsync(context, id))
                .WithName($"list{noun}Members").WithSummary("Who shares the workspace, the owner first.").Produces<MemberList>().Fails(404);
            foreach (var (path, verb) in new[] { ("/members", "add"), ("/invite", "inviteTo") })
            {
                members.MapPost(path, (HttpContext context, string id, MemberEndpoints on) => on.AddAsync(context, id))
                    .Needs(ActionClass.Manage).WithName($"{verb}{noun}{(verb == "add" ? "Member" : "")}")
                    .WithSummary("Shares the workspace; for somebody new the answer has a link to set a password.")
                    .Accepts<MemberRequest>("application/json").Produces<MemberAnswer>(201).Fails(400, 404, 409, 413);
            }

            members.MapPatch("/members/{user}", (HttpContext context, string id, string user, MemberEndpoints on) => on.ChangeAsync(context, id, user))
                .Needs(ActionClass.Manage).WithName($"change{noun}Member").WithSummary("Changes what a member may do, or gives them the workspace.")
                .Accepts<ChangeMemberRequest>("application/json").Produces<MemberAnswer>().Fails(400, 404, 409, 413);
            members.MapDelete("/members/{user}", (HttpContext context, string id, string user, MemberEndpoints on) => on.RemoveAsync(context, id, user))
                .Needs(ActionClass.Read).WithName($"remove{noun}Member").WithSummary("Removes a member, who may be oneself.").Produces<SuccessAnswer>().Fails(400, 404);
        }
    }
}
