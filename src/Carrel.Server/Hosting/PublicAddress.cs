namespace Carrel.Server.Hosting;

/// <summary>Under which address clients reach this server: the setting, or else the one this request came to.</summary>
internal sealed class PublicAddress(Settings settings)
{
    public Uri Of(HttpRequest request) => settings.PublicUrl ?? new Uri($"{request.Scheme}://{request.Host}");

    /// <summary>Without a slash at the end.</summary>
    public string BaseOf(HttpRequest request) => Of(request).ToString().TrimEnd('/');
}
