using Carrel.Deskd.X11;

namespace Carrel.Deskd.Events;

/// <summary>Runs a look at the X server, one at a time, and once more if something happened meanwhile.</summary>
internal sealed class OneAtATime(Func<Task> look)
{
    private readonly Lock _gate = new();
    private bool _runs;
    private bool _again;

    public void Ask()
    {
        lock (_gate)
        {
            _again = true;
            if (_runs)
            {
                return;
            }

            _runs = true;
        }

        // Off the thread that reads from the X server: looking waits for its answers.
        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (Take())
        {
            try
            {
                await look();
            }
            catch (XRequestException)
            {
                // A window went away between seeing and asking; its going is an event, which brings the next look.
            }
            catch (XDisconnectedException)
            {
                // The source attaches to the next display.
            }
            catch (Exception e)
            {
                Log.Write("an event source failed", e);
            }
        }
    }

    private bool Take()
    {
        lock (_gate)
        {
            _runs = _again;
            _again = false;
            return _runs;
        }
    }
}
