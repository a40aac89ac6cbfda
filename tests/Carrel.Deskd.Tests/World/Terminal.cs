using System.Text;

namespace Carrel.Deskd.Tests.World;

/// <summary>An xterm that fills the screen and writes what is typed into a file. One at a time on a display.</summary>
internal sealed class Terminal : IDisposable
{
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Desk, StrongBox> Counters = [];
    private readonly RunningProgram _xterm;
    private readonly string _file;

    private Terminal(RunningProgram xterm, string file) => (_xterm, _file) = (xterm, file);

    public static async Task<Terminal> OpenAsync(Desk desk)
    {
        var file = Path.Combine(desk.Folder, $"typed-{Counters.GetOrCreateValue(desk).Value++}");
        var xterm = desk.Start(
            $"exec xterm -u8 -geometry 200x60+0+0 -e bash -c 'stty -icanon -isig -ixon -echo eol undef; touch {file}.ready; exec cat > {file}'");
        // No window manager here, so the keyboard goes where the pointer is.
        await desk.Post("/mouse_move", ("x", 300), ("y", 300));
        Assert.True(await Eventually.Is(() => File.Exists(file + ".ready"), there => there), "xterm did not start");
        await desk.Post("/mouse_move?settle=true", ("x", 301), ("y", 300));
        return new Terminal(xterm, file);
    }

    /// <summary>What was typed, once at least that many bytes of it have come.</summary>
    public async Task<string> ReadAsync(int bytes)
    {
        var content = await Eventually.Is(() => File.ReadAllBytes(_file), read => read.Length >= bytes);
        return Encoding.UTF8.GetString(content);
    }

    public void Dispose() => _xterm.Dispose();

    private sealed class StrongBox
    {
        public int Value { get; set; }
    }
}
