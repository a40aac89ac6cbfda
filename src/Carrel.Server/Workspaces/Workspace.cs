namespace Carrel.Server.Workspaces;

/// <summary>A row of <c>workspaces</c>; times are Unix milliseconds.</summary>
internal sealed class Workspace
{
    public string Id { get; init; } = "";

    public string AccountId { get; init; } = "";

    public string Name { get; init; } = "";

    public string Status { get; init; } = "";

    public string? IconUrl { get; init; }

    public long CreatedAt { get; init; }

    public long UpdatedAt { get; init; }
}
