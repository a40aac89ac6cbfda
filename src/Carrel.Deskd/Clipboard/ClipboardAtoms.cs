using Carrel.Deskd.X11;

namespace Carrel.Deskd.Clipboard;

/// <summary>The names by which selections and their forms are known (ICCCM section 2).</summary>
internal sealed record ClipboardAtoms(
    uint Clipboard, uint Targets, uint Timestamp, uint Incr, uint Utf8String, uint Text, uint PlainText, uint PlainTextUtf8, uint Property)
{
    public static async Task<ClipboardAtoms> InternAsync(XConnection connection)
    {
        var atoms = await Task.WhenAll(
            connection.AtomAsync("CLIPBOARD"),
            connection.AtomAsync("TARGETS"),
            connection.AtomAsync("TIMESTAMP"),
            connection.AtomAsync("INCR"),
            connection.AtomAsync("UTF8_STRING"),
            connection.AtomAsync("TEXT"),
            connection.AtomAsync("text/plain"),
            connection.AtomAsync("text/plain;charset=utf-8"),
            connection.AtomAsync("CARREL_SELECTION"));
        return new ClipboardAtoms(atoms[0], atoms[1], atoms[2], atoms[3], atoms[4], atoms[5], atoms[6], atoms[7], atoms[8]);
    }
}
