namespace Carrel.Deskd.Http;

internal delegate Task<Reply> Handler(Exchange exchange);

/// <summary>Who may call.</summary>
internal enum Access
{
    /// <summary>The host, and over TCP whoever has the computer's token.</summary>
    Token,

    /// <summary>Anybody.</summary>
    Public,

    /// <summary>The host only; over TCP the route does not exist.</summary>
    Host,
}

/// <summary>One endpoint, with what <c>/schema</c> says of it.</summary>
/// <param name="BeforeIdentity">Served before the machine knows who it is.</param>
internal sealed record Route(
    string Method, string Path, string Summary, Handler Handle, Access Access = Access.Token, bool BeforeIdentity = false)
{
    public IReadOnlyList<Field> Body { get; init; } = [];

    public IReadOnlyList<Field> Query { get; init; } = [];
}
