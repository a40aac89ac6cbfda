namespace Carrel.Deskd.Tests.World;

/// <summary>What programs of other makers do on the desktop.</summary>
internal static class OtherPrograms
{
    /// <summary>Copies a text by xclip, and returns when the clipboard is xclip's.</summary>
    public static async Task CopyAsync(this Desk desk, string text)
    {
        var file = Path.Combine(desk.Folder, "to-copy");
        await File.WriteAllTextAsync(file, text);
        await desk.Shell($"xclip -selection clipboard {file} >/dev/null 2>&1; until xclip -selection clipboard -o 2>/dev/null | cmp -s - {file}; do :; done");
    }
}
