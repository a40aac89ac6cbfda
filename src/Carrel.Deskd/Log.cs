namespace Carrel.Deskd;

/// <summary>Terse lines on stderr, which s6 keeps. Never a token, a password or what somebody typed.</summary>
internal static class Log
{
    public static void Write(string message) => Console.Error.WriteLine($"deskd: {message}");

    public static void Write(string message, Exception e) => Write($"{message}: {e}");
}
