namespace Carrel.Server.Screenshots;

/// <summary>A picture's format, told from its first bytes: the guest's word for it is not taken.</summary>
internal sealed record PictureFormat(string Extension, string MediaType)
{
    public static readonly PictureFormat Png = new("png", "image/png");
    public static readonly PictureFormat Jpeg = new("jpg", "image/jpeg");
    public static readonly PictureFormat WebP = new("webp", "image/webp");

    public static PictureFormat? Of(ReadOnlySpan<byte> picture) =>
        picture.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4e, 0x47]) ? Png
        : picture.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? Jpeg
        : picture.Length > 12 && picture.StartsWith("RIFF"u8) && picture[8..].StartsWith("WEBP"u8) ? WebP
        : null;

    public static PictureFormat? OfExtension(string extension) => extension switch
    {
        "png" => Png,
        "jpg" => Jpeg,
        "webp" => WebP,
        _ => null,
    };
}
