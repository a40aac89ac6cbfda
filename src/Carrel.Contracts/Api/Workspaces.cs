using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>A workspace, formerly a project (reference section 3).</summary>
/// <param name="UserId">Its owner.</param>
/// <param name="Role">What the caller is in it: <c>viewer</c>, <c>member</c>, <c>admin</c> or <c>owner</c>.</param>
/// <param name="Desktops">Its computers; the name is kept from the old model.</param>
public sealed record WorkspaceAnswer(
    string Id,
    string Name,
    string UserId,
    string Status,
    string? IconUrl,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    IReadOnlyList<ComputerAnswer> Desktops,
    int ComputerCount,
    string Role);

/// <summary>A list of workspaces under both of its names (reference section 25.2).</summary>
public sealed record WorkspaceList(IReadOnlyList<WorkspaceAnswer> Workspaces, IReadOnlyList<WorkspaceAnswer> Projects);

/// <summary>Body of <c>POST /workspaces</c>.</summary>
/// <param name="Name">1-200 characters; unique in the account.</param>
/// <param name="Status"><c>active</c> (default) or <c>inactive</c>.</param>
public sealed record CreateWorkspaceRequest(
    [property: JsonRequired] string Name, string? IconUrl = null, string? Status = null);

/// <summary>Answer of calls that only succeed.</summary>
public sealed record SuccessAnswer(bool Success);

/// <summary>Body of <c>POST /login</c>, which begins a browser session.</summary>
public sealed record LogInRequest([property: JsonRequired] string Key);
