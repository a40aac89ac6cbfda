using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>An API key, without its secret.</summary>
/// <param name="Prefix">Its first characters, to tell it apart; empty for the oldest keys.</param>
/// <param name="WorkspaceId">The one workspace it may use; null for an account-wide key.</param>
/// <param name="UserId">Whose key it is.</param>
/// <param name="Key">The key itself, in the answer to its creation only.</param>
public sealed record ApiKeyAnswer(
    string Id,
    string Name,
    string Prefix,
    string? WorkspaceId,
    string UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key = null);

/// <summary>A list of API keys.</summary>
public sealed record ApiKeyList(IReadOnlyList<ApiKeyAnswer> ApiKeys);

/// <summary>Body of <c>POST /api-keys</c>.</summary>
/// <param name="WorkspaceId">Limits the key to that workspace.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
public sealed record ApiKeyRequest([property: JsonRequired] string Name, string? WorkspaceId = null, DateTimeOffset? ExpiresAt = null);

/// <summary>A user of this installation.</summary>
/// <param name="Role"><c>operator</c> or <c>user</c>.</param>
/// <param name="Plan">Name of the plan their account has.</param>
/// <param name="HasPassword">Whether they can log in with a password.</param>
/// <param name="PasswordLink">Where they set a password, once; whoever has the link can.</param>
public sealed record UserAnswer(
    string Id,
    string Email,
    string Name,
    string Role,
    string Plan,
    bool Disabled,
    bool HasPassword,
    DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PasswordLink = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PasswordLinkExpiresAt = null);

/// <summary>A list of users.</summary>
public sealed record UserList(IReadOnlyList<UserAnswer> Users);

/// <summary>Body of <c>POST /users</c>; without a password the answer has a link to set one.</summary>
public sealed record CreateUserRequest(
    [property: JsonRequired] string Email, string? Name = null, string? Password = null, string? Role = null, string? Plan = null);

/// <summary>Body of <c>PATCH /users/{id}</c>; what is absent stays.</summary>
public sealed record ChangeUserRequest(string? Name = null, string? Role = null, string? Plan = null, bool? Disabled = null, string? Password = null);

/// <summary>A member of a workspace.</summary>
/// <param name="Role"><c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>.</param>
/// <param name="Permission">The same, under its older name.</param>
/// <param name="PasswordLink">Of somebody new to this installation: where they set a password, once.</param>
public sealed record MemberAnswer(
    string UserId,
    string Email,
    string Name,
    string Role,
    string Permission,
    DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PasswordLink = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PasswordLinkExpiresAt = null);

/// <summary>A list of members, the owner first.</summary>
public sealed record MemberList(IReadOnlyList<MemberAnswer> Members);

/// <summary>Body of <c>POST /workspaces/{id}/members</c>, and of <c>/invite</c>.</summary>
/// <param name="Role"><c>viewer</c> (default), <c>member</c> or <c>admin</c>; also <c>permission</c>.</param>
public sealed record MemberRequest([property: JsonRequired] string Email, string? Role = null, string? Permission = null);

/// <summary>Body of <c>PATCH /workspaces/{id}/members/{user}</c>; <c>owner</c> gives the workspace away.</summary>
public sealed record ChangeMemberRequest([property: JsonRequired] string Role);

/// <summary>Body of <c>POST /auth/login</c>.</summary>
public sealed record PasswordLogInRequest([property: JsonRequired] string Email, [property: JsonRequired] string Password);

/// <summary>Body of <c>POST /auth/accept</c>: the token of a password link, and the password from now on.</summary>
public sealed record AcceptRequest([property: JsonRequired] string Token, [property: JsonRequired] string Password);

/// <summary>Body of <c>POST /auth/password</c>.</summary>
/// <param name="CurrentPassword">Left out where there is none yet.</param>
public sealed record ChangePasswordRequest([property: JsonRequired] string NewPassword, string? CurrentPassword = null);

/// <summary>Who is logged in, and how.</summary>
/// <param name="WorkspaceId">The one workspace the key may use; null for all.</param>
/// <param name="SessionId">The browser session; null where a key was presented.</param>
public sealed record LogInAnswer(bool Success, string UserId, string? Email, string? Name, string Role, string? WorkspaceId, string? SessionId);

/// <summary>A browser session.</summary>
public sealed record SessionAnswer(
    string Id, bool Current, string? KeyId, string Address, string UserAgent, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt);

/// <summary>A list of browser sessions.</summary>
public sealed record SessionList(IReadOnlyList<SessionAnswer> Sessions);

/// <summary>A plan, and a request to set one; what is null is unlimited.</summary>
/// <param name="MaxCpu">CPUs of one computer; <c>max_</c> is of one, <c>total_</c> of all of an account.</param>
public sealed record PlanAnswer(
    string Name,
    int? MaxComputers,
    double? MaxCpu,
    int? MaxRamGb,
    int? MaxDiskGb,
    double? TotalCpu,
    int? TotalRamGb,
    int? TotalDiskGb,
    bool TemplatesAllowed,
    int? RateLimitPerMinute,
    int? MaxApiKeys);

/// <summary>Body of <c>PUT /plans/{name}</c>; what is absent is unlimited.</summary>
public sealed record PlanRequest(
    int? MaxComputers = null,
    double? MaxCpu = null,
    int? MaxRamGb = null,
    int? MaxDiskGb = null,
    double? TotalCpu = null,
    int? TotalRamGb = null,
    int? TotalDiskGb = null,
    bool? TemplatesAllowed = null,
    int? RateLimitPerMinute = null,
    int? MaxApiKeys = null);

/// <summary>A list of plans.</summary>
public sealed record PlanList(IReadOnlyList<PlanAnswer> Plans);

/// <summary>The caller's plan in the words of old clients (reference section 16).</summary>
public sealed record SubscriptionAnswer(string Tier, string Status, [property: JsonPropertyName("planLimits")] PlanLimits PlanLimits, PlanAnswer Plan);

/// <summary>Null is unlimited.</summary>
public sealed record PlanLimits(
    [property: JsonPropertyName("maxDesktops")] int? MaxDesktops, [property: JsonPropertyName("maxRamPerUser")] int? MaxRamPerUser);

/// <summary>What an account may have and has (reference section 16); null is unlimited.</summary>
public sealed record ComputeLimitsAnswer(
    string Plan,
    int? MaxComputers,
    int ComputersUsed,
    double? MaxCpu,
    int? MaxRamGb,
    int? MaxDiskGb,
    double? AccountCpuBudget,
    double AccountCpuUsed,
    int? AccountRamBudgetGb,
    int AccountRamUsedGb,
    int? AccountDiskBudgetGb,
    int AccountDiskUsedGb,
    bool TemplatesAllowed,
    int? WorkspaceMaxComputers);

/// <summary>How many computers an account may have, has, and may yet make; null is unlimited.</summary>
public sealed record CapacityAnswer(string Plan, int? MaxComputers, int ComputersUsed, int? ComputersAvailable);

/// <summary>Body of <c>POST /v1/accounts</c>: a workspace for somebody's customer, with a key limited to it.</summary>
/// <param name="ExternalId">What the customer is called elsewhere; unique.</param>
/// <param name="Name">The workspace's name; the external id where it is absent.</param>
/// <param name="MaxComputers">How many computers the workspace may hold; null for no limit but the plan's.</param>
public sealed record ClientRequest([property: JsonRequired] string ExternalId, string? Name = null, int? MaxComputers = null);

/// <summary>A customer's workspace.</summary>
/// <param name="ApiKey">In the answer to its creation only.</param>
public sealed record ClientAnswer(
    string Id,
    string ExternalId,
    string WorkspaceId,
    int? MaxComputers,
    DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ApiKey = null);

/// <summary>A list of customers' workspaces.</summary>
public sealed record ClientList(IReadOnlyList<ClientAnswer> Accounts);

/// <summary>One thing that somebody did.</summary>
/// <param name="UserId">Who asked; null where nobody is known.</param>
/// <param name="User">Their e-mail address at that time.</param>
/// <param name="Action">Name of the route: its <c>operationId</c> in the OpenAPI document.</param>
/// <param name="Status">How it was answered; 499 where the client did not wait.</param>
public sealed record AuditAnswer(
    string Id,
    DateTimeOffset At,
    string? UserId,
    string? User,
    string? KeyId,
    string? SessionId,
    string Address,
    string Action,
    string Method,
    string? TargetKind,
    string? TargetId,
    string? WorkspaceId,
    int Status,
    string RequestId,
    System.Text.Json.JsonElement? Details);

/// <summary>A page of the audit log, the newest first.</summary>
/// <param name="NextCursor">The <c>cursor</c> of the next page; null on the last.</param>
public sealed record AuditList(IReadOnlyList<AuditAnswer> Entries, string? NextCursor);
