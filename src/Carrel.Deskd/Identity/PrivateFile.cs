namespace Carrel.Deskd.Identity;

/// <summary>Files with secrets: readable by root only from the first moment, replaced whole.</summary>
internal static class PrivateFile
{
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        using (var file = new FileStream(fresh, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(content);
        }

        File.Move(fresh, path, overwrite: true);
    }
}
