using System.Security.Cryptography;

namespace Carrel.Server.State;

/// <summary>Where every id and secret comes from, so that tests can foretell them.</summary>
internal interface IIdFactory
{
    /// <summary>A UUID, version 4.</summary>
    Guid NewId();

    /// <summary>8 lowercase hex digits.</summary>
    string NewInstanceId();

    /// <summary>Lowercase hex of so many random bytes.</summary>
    string NewSecret(int bytes);
}

internal sealed class IdFactory : IIdFactory
{
#pragma warning disable RS0030 // This is the id factory the rule points to.
    public Guid NewId() => Guid.NewGuid();
#pragma warning restore RS0030

    public string NewInstanceId() => NewSecret(4);

    public string NewSecret(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));
}
