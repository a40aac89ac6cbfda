namespace Carrel.Contracts.Clipboard;

public static class ClipboardLimits
{
    /// <summary>UTF-8 bytes of text that may be put on the clipboard or are read from it.</summary>
    public const int ContentBytes = 1024 * 1024;

    /// <summary>The longest answer: JSON may need six bytes for one.</summary>
    public const int AnswerBytes = (6 * ContentBytes) + 4096;
}
