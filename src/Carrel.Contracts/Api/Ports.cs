namespace Carrel.Contracts.Api;

/// <summary>Body of <c>POST /computers/{id}/ports/{port}/link</c>.</summary>
/// <param name="ExpiresIn">Seconds, 60-604800, default 3600.</param>
/// <param name="Path">Where in the server inside the link leads, default <c>/</c>.</param>
public sealed record PortLinkRequest(int? ExpiresIn = null, string? Path = null);

/// <summary>A link to a port inside.</summary>
/// <param name="Url">Opens without a login. Its first visit leaves a cookie for the port alone.</param>
/// <param name="OwnOrigin">The port has an origin of its own. Where it is false the pages are sandboxed, which many do not work in.</param>
public sealed record PortLinkAnswer(string Url, int Port, DateTimeOffset ExpiresAt, bool OwnOrigin);

/// <summary>Body of <c>POST /computers/{id}/screens</c>.</summary>
/// <param name="Width">320-7680. Without both, the screen is as large as the first one was at boot.</param>
/// <param name="Height">200-4320.</param>
public sealed record ScreenRequest(int? Width = null, int? Height = null);

/// <summary>A screen of a computer (reference section 19).</summary>
/// <param name="Id"><c>default</c>, or <c>screen-100</c> to <c>screen-102</c>.</param>
/// <param name="Display">What programs take as <c>DISPLAY</c>.</param>
public sealed record ScreenAnswer(string Id, string Display, int Width, int Height, bool Default);

/// <summary>The screens of a computer.</summary>
public sealed record ScreenList(IReadOnlyList<ScreenAnswer> Screens);
