namespace Carrel.Server.Accounts;

/// <summary>A row of <c>users</c>, with its account's plan; times are Unix milliseconds.</summary>
internal sealed record User
{
    public const string Operator = "operator";
    public const string Ordinary = "user";

    /// <summary>Also the id of the account that is theirs.</summary>
    public string Id { get; init; } = "";

    /// <summary>In lower case.</summary>
    public string Email { get; init; } = "";

    public string Name { get; init; } = "";

    public string Role { get; init; } = Ordinary;

    /// <summary>Hash of the password; null until one is set.</summary>
    public string? Password { get; init; }

    public bool Disabled { get; init; }

    public string Plan { get; init; } = "";

    public string? LinkHash { get; init; }

    public long? LinkExpiresAt { get; init; }

    public long CreatedAt { get; init; }

    public bool IsOperator => Role == Operator && !Disabled;

    /// <summary>Keeps the hashes out of every log and message.</summary>
    public override string ToString() => Email;
}
