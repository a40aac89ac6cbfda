namespace Carrel.Contracts.Actions;

/// <summary>How large the requests of actions may be. deskd refuses what is larger with 413.</summary>
public static class ActionLimits
{
    /// <summary>Body of click, drag, key, scroll, wait, ...</summary>
    public const int InputBodyBytes = 64 * 1024;

    /// <summary>UTF-8 bytes of <c>text</c> in type.</summary>
    public const int TypeTextBytes = 1024 * 1024;

    /// <summary>UTF-8 bytes of <c>command</c> in bash and <c>code</c> in exec.</summary>
    public const int CommandBytes = 1024 * 1024;

    /// <summary>Bytes of output that bash and exec keep; the rest is read and dropped.</summary>
    public const int OutputBytes = 1024 * 1024;

    /// <summary>Body of type, bash and exec: JSON may need six bytes for one.</summary>
    public const int LargeBodyBytes = (6 * 1024 * 1024) + 4096;
}
