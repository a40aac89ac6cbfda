namespace Carrel.Contracts.Events;

/// <summary>One kind of event (reference section 7.4): its name, what it means, and the fields of its data.</summary>
public sealed record EventKind(string Name, string Meaning, params IReadOnlyList<EventField> Data);

public sealed record EventField(string Name, string Meaning);

/// <summary>The events there are: the one table behind deskd's sockets and every catalogue.</summary>
public static class EventCatalogue
{
    public const string WindowFocus = "window_focus";
    public const string WindowOpen = "window_open";
    public const string WindowClose = "window_close";
    public const string Clipboard = "clipboard";
    public const string FileChange = "file_change";
    public const string ScreenChange = "screen_change";
    public const string AudioStreamStart = "audio_stream_start";
    public const string AudioStreamStop = "audio_stream_stop";
    public const string ProcessStart = "process_start";
    public const string ProcessStop = "process_stop";
    public const string Idle = "idle";
    public const string Active = "active";
    public const string ScreenSettled = "screen_settled";
    public const string DownloadFinished = "download_finished";

    /// <summary>Seconds without input after which a computer is idle.</summary>
    public const int IdleSeconds = 30;

    /// <summary>Milliseconds without a change after which the screen counts as settled.</summary>
    public const int SettledMilliseconds = 300;

    /// <summary>Events that wait for a slow reader; what comes beyond is dropped and counted.</summary>
    public const int BufferedEvents = 256;

    /// <summary>Paths of its own that one connection may have watched.</summary>
    public const int MostPaths = 32;

    /// <summary>Folders that are watched at most, of all connections together.</summary>
    public const int MostFolders = 8192;

    /// <summary>Where files are watched when no path is asked for: those of these folders that are there, now or later.</summary>
    public static IReadOnlyList<string> DefaultFolders { get; } =
        ["/root/Desktop", "/root/Downloads", "/home/user/Desktop", "/home/user/Downloads"];

    public static IReadOnlyList<EventKind> All { get; } =
    [
        new(WindowFocus, "Another window has the focus.", WindowId, Title),
        new(WindowOpen, "The window manager shows a new window.", WindowId, Title),
        new(WindowClose, "A window is gone.", WindowId),
        new(Clipboard, "Something was copied.",
            new("content", "The text, at most 1 MiB; empty when it is no text."),
            new("content_type", "text/plain, or what the program offers instead, such as image/png."),
            new("truncated", "True where the text was longer; absent otherwise.")),
        new(FileChange, "A file or folder changed: in ~/Desktop and ~/Downloads, or below the paths asked for.",
            new("path", "Absolute path."), new("action", "created, modified or deleted.")),
        new(ScreenChange, "The screen has another size.", new("width", "Pixels."), new("height", "Pixels.")),
        new(AudioStreamStart, "A program began to play sound while none did."),
        new(AudioStreamStop, "The last program that played sound stopped."),
        new(ProcessStart, "A process started.", Pid, ProcessName),
        new(ProcessStop, "A process ended.", Pid, ProcessName),
        new(Idle, "Nobody used mouse or keyboard for 30 seconds.", new EventField("idle_seconds", "30.")),
        new(Active, "Mouse or keyboard are used again after that."),
        new(ScreenSettled, "The screen changed and has come to rest.", new EventField("changing_ms", "How long it kept changing, milliseconds.")),
        new(DownloadFinished, "A browser finished a download into ~/Desktop or ~/Downloads.",
            new("path", "Absolute path."), new("size", "Bytes.")),
    ];

    private static EventField WindowId => new("window_id", "Hexadecimal id of the X window, such as 0x3200004.");

    private static EventField Title => new("title", "Its title.");

    private static EventField Pid => new("pid", "Its process id.");

    private static EventField ProcessName => new("name", "Its name.");
}
