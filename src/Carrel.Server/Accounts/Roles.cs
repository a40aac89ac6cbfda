using System.Collections.Frozen;

namespace Carrel.Server.Accounts;

/// <summary>What somebody is in a workspace. The owner is the account the workspace belongs to; the others are members of it.</summary>
internal enum WorkspaceRole
{
    Viewer,
    Member,
    Admin,
    Owner,
}

/// <summary>What kind of thing a route does.</summary>
internal enum ActionClass
{
    /// <summary>Looks: lists, screenshots, files, sound, events, VNC without a hand.</summary>
    Read,

    /// <summary>Uses computers: actions, files, start and stop, creating them.</summary>
    Use,

    /// <summary>Runs the workspace: deletes, resizes and moves computers, members, keys.</summary>
    Manage,

    /// <summary>Deletes the workspace or gives it away.</summary>
    Own,

    /// <summary>Is about the caller's own account: not for keys that are limited to a workspace.</summary>
    Account,

    /// <summary>Runs the installation: operators only, and not with keys that are limited to a workspace.</summary>
    Operate,
}

/// <summary>Who may do what in a workspace: the one table.</summary>
internal static class Roles
{
    private static readonly FrozenSet<(WorkspaceRole, ActionClass)> Allowed = new[]
    {
        (WorkspaceRole.Viewer, ActionClass.Read),

        (WorkspaceRole.Member, ActionClass.Read),
        (WorkspaceRole.Member, ActionClass.Use),

        (WorkspaceRole.Admin, ActionClass.Read),
        (WorkspaceRole.Admin, ActionClass.Use),
        (WorkspaceRole.Admin, ActionClass.Manage),

        (WorkspaceRole.Owner, ActionClass.Read),
        (WorkspaceRole.Owner, ActionClass.Use),
        (WorkspaceRole.Owner, ActionClass.Manage),
        (WorkspaceRole.Owner, ActionClass.Own),
    }.ToFrozenSet();

    /// <summary>Roles that are given to members; the owner's goes with the workspace.</summary>
    public static readonly IReadOnlyList<string> OfMembers = ["viewer", "member", "admin"];

    /// <summary>Whether that role may do that. What is no workspace's business is nobody's by such a role.</summary>
    public static bool Allows(WorkspaceRole role, ActionClass action) => Allowed.Contains((role, action));

    public static string Wire(this WorkspaceRole role) => role switch
    {
        WorkspaceRole.Viewer => "viewer",
        WorkspaceRole.Member => "member",
        WorkspaceRole.Admin => "admin",
        _ => "owner",
    };

    public static WorkspaceRole? Parse(string? role) => role switch
    {
        "viewer" => WorkspaceRole.Viewer,
        "member" => WorkspaceRole.Member,
        "admin" => WorkspaceRole.Admin,
        "owner" => WorkspaceRole.Owner,
        _ => null,
    };
}
