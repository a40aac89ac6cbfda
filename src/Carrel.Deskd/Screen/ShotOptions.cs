using Carrel.Deskd.Http;

namespace Carrel.Deskd.Screen;

/// <summary>How a picture is wanted.</summary>
internal readonly record struct ShotOptions(PictureFormat Format, int Quality, double Scale, bool Cursor)
{
    private static readonly TextField FormatField = new("format", "Picture format.", false, 16, "png", ["png", "jpeg", "webp", "jpg"]);
    private static readonly IntegerField QualityField = new("quality", "Quality of JPEG and WebP.", false, 1, 100, 80);
    private static readonly NumberField ScaleField = new("scale", "Size of the picture relative to the screen.", false, 0.1, 1, 1);
    private static readonly FlagField CursorField = new("cursor", "Show the mouse pointer.");

    public static readonly Field[] Fields = [FormatField, QualityField, ScaleField, CursorField];

    public static ShotOptions Read(FieldReader query) => new(
        query.Read(FormatField) switch { "png" => PictureFormat.Png, "webp" => PictureFormat.Webp, _ => PictureFormat.Jpeg },
        query.Read(QualityField),
        query.Read(ScaleField),
        query.Read(CursorField));
}
