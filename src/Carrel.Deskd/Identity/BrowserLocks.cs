namespace Carrel.Deskd.Identity;

/// <summary>
/// A clone wakes with the profile of a browser that runs in its source. Chromium takes its lock (a link to <c>host-pid</c>) for one held on
/// another host and would not start; here no other host can hold one.
/// </summary>
internal static class BrowserLocks
{
    private static readonly string[] s_parts = ["SingletonLock", "SingletonCookie", "SingletonSocket"];

    /// <param name="homes">Home folders; profiles are looked for in <c>.config/*</c> of each.</param>
    public static void Break(IEnumerable<string> homes, string hostName)
    {
        foreach (var profile in homes.SelectMany(Profiles))
        {
            if (new FileInfo(Path.Combine(profile, s_parts[0])).LinkTarget is { } holder && !holder.StartsWith(hostName + "-", StringComparison.Ordinal))
            {
                foreach (var part in s_parts)
                {
                    File.Delete(Path.Combine(profile, part));
                }
            }
        }
    }

    public static IEnumerable<string> Homes() => Directory.Exists("/home") ? [.. Directory.EnumerateDirectories("/home"), "/root"] : ["/root"];

    private static string[] Profiles(string home)
    {
        try
        {
            var config = Path.Combine(home, ".config");
            return Directory.Exists(config) ? Directory.GetDirectories(config) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.Write($"the browsers' profiles in {home} cannot be looked at: {e.Message}");
            return [];
        }
    }
}
